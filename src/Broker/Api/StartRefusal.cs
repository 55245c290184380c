namespace Broker.Api;

/// <summary>Why a run was not started, where every dialect says the same in its own form.</summary>
internal static class StartRefusal
{
    public const string KeyReused = "This Idempotency-Key was used for another request; send the same body again, or take a new key";

    // The count of what waits is refreshed every second.
    private const string RetryAfterSecs = "1";

    /// <summary>429: a bounded queue is full. Says when to try again, and what was asked for.</summary>
    public static string BacklogFull(HttpContext http, string workflow, int limit)
    {
        http.Response.Headers.RetryAfter = RetryAfterSecs;
        return $"{limit} runs of workflow '{workflow}' wait for workers: no more are taken until some have begun";
    }
}
