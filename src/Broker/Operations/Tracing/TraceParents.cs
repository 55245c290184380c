using System.Diagnostics;
using Broker.Core.Runs;

namespace Broker.Operations.Tracing;

/// <summary>Carries the trace of the request that starts a run to the workers of its steps.</summary>
internal static class TraceParents
{
    /// <summary>
    /// The span of this request, if it is recorded. The framework also makes one for the log alone: that has no source, though it takes
    /// the sampling flag over from its caller.
    /// </summary>
    public static Activity? Span => Activity.Current is { Recorded: true, IdFormat: ActivityIdFormat.W3C, Source.Name.Length: > 0 } span ? span : null;

    /// <summary>
    /// The span of this request if it is traced, else the client's, if that is a W3C trace context.
    /// </summary>
    public static string? Of(HttpContext http)
    {
        if (Span is { } span) return span.Id;
        var sent = http.Request.Headers.TraceParent;
        if (sent.Count != 1 || !ActivityContext.TryParse(sent[0], null, out var context)) return null;
        return context.TraceId == default || context.SpanId == default
            ? null
            : $"00-{context.TraceId}-{context.SpanId}-{(context.TraceFlags.HasFlag(ActivityTraceFlags.Recorded) ? "01" : "00")}";
    }

    /// <summary>Adds the trace of a single claimed step as a header, which stock clients ignore.</summary>
    public static void Offer(HttpResponse response, IReadOnlyList<Assignment> claimed)
    {
        if (claimed.Count == 1 && claimed[0].TraceParent is { } trace) response.Headers.TraceParent = trace;
    }
}
