using Npgsql;

namespace Broker.Storage.Postgres;

/// <summary>Statements that travel in one exchange.</summary>
internal sealed class BatchBuilder(NpgsqlConnection connection) : IAsyncDisposable
{
    private readonly NpgsqlBatch batch = connection.CreateBatch();

    public void Add(string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters) command.Parameters.Add(parameter);
        batch.BatchCommands.Add(command);
    }

    public Task<NpgsqlDataReader> ReadAsync(CancellationToken ct) => batch.ExecuteReaderAsync(ct);

    public ValueTask DisposeAsync() => batch.DisposeAsync();
}
