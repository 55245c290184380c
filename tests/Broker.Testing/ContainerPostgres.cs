using Testcontainers.PostgreSql;

namespace Broker.Testing;

/// <summary>A PostgreSQL server in a container: the engine removes it when the test process has ended.</summary>
internal sealed class ContainerPostgres : IAsyncDisposable
{
    private const string ImageVariable = "BROKER_TEST_POSTGRES_IMAGE";

    private readonly PostgreSqlContainer container;

    private ContainerPostgres(PostgreSqlContainer container) => this.container = container;

    /// <summary>Image of the server; one with another version is named in BROKER_TEST_POSTGRES_IMAGE.</summary>
    public static string Image => Environment.GetEnvironmentVariable(ImageVariable) is { Length: > 0 } given ? given : "postgres:15-alpine";

    public string AdminConnectionString => container.GetConnectionString() + ";Pooling=false";

    /// <param name="settings">As name=value.</param>
    public static async Task<ContainerPostgres> StartAsync(IEnumerable<string> settings)
    {
        var container = new PostgreSqlBuilder(Image)
            .WithDatabase("postgres")
            .WithUsername("postgres")
            .WithCommand([.. settings.SelectMany(setting => (string[])["-c", setting])])
            .Build();
        try
        {
            await container.StartAsync();
            return new(container);
        }
        catch
        {
            await container.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => container.DisposeAsync();
}
