using System.Data.Common;
using Broker.Storage.Contracts;

namespace Broker.Operations;

/// <summary>Distinguishes a database that is away or cannot write, a 503 that clients retry, from a fault of the broker.</summary>
internal static class DatabaseOutage
{
    /// <summary>Long enough for a database to restart, short enough for a worker to hold on to its lease.</summary>
    public const string RetryAfterSecs = "2";

    /// <summary>Message for the client; null when the fault is another one.</summary>
    public static string? MessageOf(HttpContext http, Exception fault) => fault switch
    {
        _ when fault.FindInner<StoreUnavailableException>() is { } known => known.Message,
        _ when fault.FindInner<DbException>() is not null && http.RequestServices.GetService<IDatabaseFaults>()?.IsUnavailable(fault) == true =>
            "The database cannot be reached or cannot write at present.",
        _ => null,
    };
}
