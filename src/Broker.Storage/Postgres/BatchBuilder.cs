using Npgsql;

namespace Broker.Storage.Postgres;

/// <summary>Statements that travel in one exchange.</summary>
internal sealed class BatchBuilder(NpgsqlConnection connection) : IDisposable
{
    private readonly NpgsqlBatch batch = connection.CreateBatch();

    public NpgsqlBatchCommand Add(string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters) command.Parameters.Add(parameter);
        batch.BatchCommands.Add(command);
        return command;
    }

    public NpgsqlDataReader Read() => batch.ExecuteReader();

    public void Dispose() => batch.Dispose();
}
