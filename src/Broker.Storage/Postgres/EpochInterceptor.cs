using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;

namespace Broker.Storage.Postgres;

/// <summary>Asks the connections of contexts when it is due. New ones are asked by the data source, and all are new when another epoch begins.</summary>
internal sealed class EpochInterceptor(EpochWatch watch) : DbConnectionInterceptor
{
    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
    {
        if (watch.IsDue()) watch.Check((NpgsqlConnection)connection, isNew: false);
    }

    public override Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default) =>
        watch.IsDue() ? watch.CheckAsync((NpgsqlConnection)connection, isNew: false) : Task.CompletedTask;
}
