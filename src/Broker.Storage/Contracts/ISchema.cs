namespace Broker.Storage.Contracts;

/// <summary>The schema of the database.</summary>
public interface ISchema
{
    /// <summary>Applies the migrations that are pending; returns their names. Other brokers wait meanwhile.</summary>
    Task<IReadOnlyList<string>> MigrateAsync(CancellationToken ct);

    /// <summary>Throws <see cref="SchemaMismatchException"/> unless the schema is this program's.</summary>
    Task CheckAsync(CancellationToken ct);
}
