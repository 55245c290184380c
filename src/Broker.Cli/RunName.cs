using System.Globalization;
using Broker.Operators;
using Broker.Operators.Where;

namespace Broker.Cli;

/// <summary>The form of a run on the command line: <c>WORKFLOW/INSTANCE</c>, <c>WORKFLOW/INSTANCE.NUMBER</c>, or <c>@last</c>.</summary>
internal static class RunName
{
    public const string Help = "WORKFLOW/INSTANCE, with .NUMBER for one of its runs, or @last for the newest run";
    private const string Last = "@last";

    /// <summary>Null: the text is no name of a run.</summary>
    public static RunAddress? Parse(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0 || slash == text.Length - 1) return null;
        var (workflow, instance) = (text[..slash], text[(slash + 1)..]);
        var dot = instance.LastIndexOf('.');
        return dot > 0 && int.TryParse(instance.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new(workflow, instance[..dot], number)
            : new(workflow, instance);
    }

    public static string Of(RunSummary run) => Of(new RunAddress(run.Workflow, run.Instance, run.Run));

    public static string Of(RunAddress run) => run.Run is { } number ? string.Create(CultureInfo.InvariantCulture, $"{run.Workflow}/{run.Instance}.{number}") : $"{run.Workflow}/{run.Instance}";

    /// <summary>The run that the text means; <c>@last</c> asks the broker.</summary>
    public static async Task<RunAddress> FindAsync(string text, IOperatorApi api, CancellationToken ct)
    {
        if (text != Last) return Parse(text) ?? throw new CliException(ExitCodes.Usage, $"'{text}' is no run: write {Help}");
        var newest = await api.ListRunsAsync(new(WhereExpression.All) { Limit = 1 }, ct);
        if (newest.Items is not [var run]) throw new CliException(ExitCodes.NotFound, "there is no run yet");
        return new(run.Workflow, run.Instance, run.Run);
    }
}

/// <summary>Ends the command with a message and an exit code.</summary>
internal sealed class CliException(int code, string message) : Exception(message)
{
    public int Code => code;
}
