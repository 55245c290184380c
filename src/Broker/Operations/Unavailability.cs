using System.Data.Common;
using Broker.Storage.Contracts;
using Broker.Storage.Dispatch;
using Broker.Storage.Tables;

namespace Broker.Operations;

/// <summary>Tells a database that is away or cannot write, which is a 503 and worth trying again, from a fault of our own.</summary>
internal static class Unavailability
{
    /// <summary>Long enough for a database to restart, short enough for a worker to hold on to its lease.</summary>
    public const string RetryAfterSecs = "2";

    /// <summary>What to tell the client; null when the fault is something else.</summary>
    public static string? Of(HttpContext http, Exception fault) => fault switch
    {
        _ when fault.FindInner<StoreUnavailableException>() is { } known => known.Message,
        _ when fault.FindInner<DbException>() is not null && http.RequestServices.GetService<IDatabaseEngine>()?.IsUnavailable(fault) == true =>
            "The database cannot be reached or cannot write at present.",
        _ => null,
    };
}
