using Npgsql;

namespace Broker.Storage.Postgres;

/// <summary>Statements that travel in one exchange.</summary>
internal sealed class BatchBuilder(NpgsqlConnection connection) : IDisposable
{
    private readonly NpgsqlBatch batch = connection.CreateBatch();
    private Action<NpgsqlDataReader>? first;

    /// <summary>Adds a statement whose rows are read before <see cref="Read"/> returns; the first one that returns any.</summary>
    public void AddFirst(string sql, Action<NpgsqlDataReader> read)
    {
        Add(sql);
        first = read;
    }

    public NpgsqlBatchCommand Add(string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters) command.Parameters.Add(parameter);
        batch.BatchCommands.Add(command);
        return command;
    }

    public NpgsqlDataReader Read()
    {
        var reader = batch.ExecuteReader();
        if (first is null) return reader;
        try
        {
            first(reader);
            reader.NextResult();
            return reader;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>Seconds until the driver cancels.</summary>
    public int Timeout
    {
        set => batch.Timeout = value;
    }

    public Task RunAsync(CancellationToken ct) => batch.ExecuteNonQueryAsync(ct);

    public void Dispose() => batch.Dispose();
}
