using System.Globalization;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Engine;
using Microsoft.AspNetCore.WebUtilities;

namespace Broker.Api.BrokerDialect;

/// <summary>
/// The query of the worker calls, read without the framework's dictionary: it is on the hot path. Everything but
/// <c>worker_id</c> is an extension that unmodified clients never send.
/// </summary>
internal struct StepQuery
{
    private string? problem;

    public StepQuery()
    {
    }

    /// <summary>The worker that calls; never empty once read.</summary>
    public string WorkerId { get; private set; } = "";

    /// <summary>How long an idle claim is held.</summary>
    public TimeSpan Wait { get; private set; }

    /// <summary>Steps to claim at once; null: one, in the documented form.</summary>
    public int? Count { get; private set; }

    /// <summary>Steps to claim together with a report; null: none.</summary>
    public int? Claim { get; private set; }

    public IReadOnlyList<string> Labels { get; private set; } = [];

    /// <summary>Names the claim: sent again, it is answered with the same leases.</summary>
    public string? ClaimId { get; private set; }

    /// <summary>The worker understands more than the six documented keys of an assignment.</summary>
    public bool Extras { get; private set; }

    /// <summary>False when the query is wrong: <paramref name="answer"/> sends the error.</summary>
    public static bool TryRead(HttpContext http, out StepQuery query, out Task answer)
    {
        query = new StepQuery();
        foreach (var pair in new QueryStringEnumerable(http.Request.QueryString.Value))
        {
            query.Take(http, pair.DecodeName().Span, pair.DecodeValue());
        }

        if (query.WorkerId.Length == 0) query.problem ??= "worker_id is required in the query";
        answer = query.problem is null ? Task.CompletedTask : BrokerResponses.Fail(http, StatusCodes.Status400BadRequest, query.problem);
        return query.problem is null;
    }

    public readonly ClaimRequest ToClaim(int count) => new(WorkerId, ClaimScope.ByRegistration, Labels, count) { ClaimId = ClaimId };

    private void Take(HttpContext http, ReadOnlySpan<char> name, ReadOnlyMemory<char> value)
    {
        switch (name)
        {
            case "worker_id":
                WorkerId = value.ToString();
                if (WorkerId.Contains('\0')) problem ??= "worker_id holds a NUL character";
                break;
            case "wait":
                Wait = TimeSpan.FromSeconds(WaitOf(value.Span));
                break;
            case "count":
                Count = CountOf(http, "count", value.Span);
                break;
            case "claim":
                Claim = CountOf(http, "claim", value.Span);
                break;
            case "claim_id":
                ClaimId = value.ToString();
                if (ClaimId.Length is 0 or > DefinitionReader.MaxNameLength) problem ??= $"claim_id: expected 1 to {DefinitionReader.MaxNameLength} characters";
                break;
            case "labels":
                Labels = value.ToString().Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
                if (value.Span.Contains('\0')) problem ??= "labels holds a NUL character";
                break;
            case "extras":
                Extras = FlagOf(value.Span);
                break;
        }
    }

    private double WaitOf(ReadOnlySpan<char> value)
    {
        if (double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var secs) && secs <= BrokerEngine.MaxWaitSecs)
            return secs;
        problem ??= $"wait: expected seconds from 0 to {BrokerEngine.MaxWaitSecs}";
        return 0;
    }

    private int CountOf(HttpContext http, string name, ReadOnlySpan<char> value)
    {
        var most = http.Engine().Settings.Limits.Batch;
        if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count >= 1 && count <= most) return count;
        problem ??= $"{name}: expected an integer from 1 to {most}";
        return 1;
    }

    private bool FlagOf(ReadOnlySpan<char> value)
    {
        if (value is "true" or "1") return true;
        if (value is not ("false" or "0")) problem ??= "extras: expected true or false";
        return false;
    }
}
