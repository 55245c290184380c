using System.Globalization;
using Broker.Operators;
using Broker.Ui.Parts;
using Microsoft.AspNetCore.Http;

namespace Broker.Ui.Pages;

/// <summary>The fields of the forms that lead to an action on many runs. Each form hands all of them on, so that every broker can answer the next one.</summary>
public sealed record BulkChoice(string Action)
{
    /// <summary>Every run that fits the expression, beside those left out; else the named ones.</summary>
    public bool IsAll { get; init; }

    public string Where { get; init; } = "";

    /// <summary>Named runs, each as <see cref="Name(RunAddress)"/>.</summary>
    public IReadOnlyList<string> Runs { get; init; } = [];

    /// <summary>Runs that are left out.</summary>
    public IReadOnlyList<string> LeftOut { get; init; } = [];

    /// <summary>tag: a line for each tag.</summary>
    public string Tags { get; init; } = "";

    /// <summary>send_event: type of the event.</summary>
    public string Type { get; init; } = "";

    /// <summary>send_event: value of the event.</summary>
    public string Value { get; init; } = "";

    public string Rate { get; init; } = "";

    public string Reason { get; init; } = "";

    /// <summary>The arguments that the action takes are there.</summary>
    public bool IsComplete => Action switch
    {
        "tag" => Tags.Trim().Length > 0,
        "send_event" => Type.Length > 0,
        _ => true,
    };

    /// <summary>The choice that a form sends.</summary>
    public static BulkChoice Of(IFormCollection form)
    {
        List<string> chosen = [.. form["run"].OfType<string>()], left = [.. form["leave"].OfType<string>()];
        var isAll = form["all"] == "1";

        // With "all that match", runs of the page without a tick are left out. A page without ticks leaves out none.
        if (isAll && chosen.Count > 0) left.AddRange(form["shown"].OfType<string>().Except(chosen));
        return new(form["action"].ToString())
        {
            IsAll = isAll,
            Where = form["where"].ToString(),
            Runs = isAll ? [] : chosen,
            LeftOut = [.. left.Distinct()],
            Tags = form["tags"].ToString(),
            Type = form["type"].ToString(),
            Value = form["value"].ToString(),
            Rate = form["rate"].ToString(),
            Reason = form["reason"].ToString(),
        };
    }

    /// <summary>The request for a trial.</summary>
    public NewBulk Trial() => new()
    {
        Action = Action,
        Where = IsAll ? Where : null,
        Ids = IsAll ? null : Runs.Count > 0 ? [.. Runs.Select(Address)] : throw Refused("Tick runs first, or choose all that match."),
        Exclude = LeftOut.Count == 0 ? null : [.. LeftOut.Select(Address)],
        Args = Arguments(),
        Rate = Rate.Length == 0 ? null : int.TryParse(Rate, NumberStyles.None, CultureInfo.InvariantCulture, out var rate) ? rate : throw Refused("The rate is a whole number of runs a second."),
        Reason = Reason.Length == 0 ? null : Reason,
        DryRun = true,
    };

    /// <summary>The fields, for a form that hands the choice on.</summary>
    public IReadOnlyList<(string Name, string Value)> Fields()
    {
        List<(string Name, string Value)> fields = [("action", Action), ("all", IsAll ? "1" : ""), ("where", Where), ("tags", Tags), ("type", Type), ("value", Value), ("rate", Rate), ("reason", Reason)];
        return [.. fields.Where(field => field.Value.Length > 0), .. Runs.Select(run => ("run", run)), .. LeftOut.Select(run => ("leave", run))];
    }

    /// <summary>A run as one text: three segments of an address.</summary>
    public static string Name(RunAddress run) =>
        string.Create(CultureInfo.InvariantCulture, $"{Uri.EscapeDataString(run.Workflow)}/{Uri.EscapeDataString(run.Instance)}/{run.Run}");

    private static RunAddress Address(string name)
    {
        var parts = name.Split('/');
        return parts.Length == 3 && int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new(Uri.UnescapeDataString(parts[0]), Uri.UnescapeDataString(parts[1]), number)
            : throw Refused($"'{name}' names no run.");
    }

    private BulkArguments? Arguments() => Action switch
    {
        "tag" => new() { Tags = TagText.Json(Tags) },
        "send_event" => new() { Type = Type, Value = new(FormJson.Checked("value", Value)) },
        _ => null,
    };

    private static OperatorException Refused(string message) => new(StatusCodes.Status400BadRequest, "bad_request", message);
}
