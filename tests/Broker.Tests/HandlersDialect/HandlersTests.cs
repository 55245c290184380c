using Broker.Tests.App;
using Xunit;

namespace Broker.Tests.HandlersDialect;

public sealed class PostgresHandlerRunTests(PostgresApp app) : RunConformance, IClassFixture<PostgresApp>
{
    private protected override HttpClient Http => app.Client;
}

public sealed class SqliteHandlerRunTests(SqliteApp app) : RunConformance, IClassFixture<SqliteApp>
{
    private protected override HttpClient Http => app.Client;
}

public sealed class PostgresHandlerStreamTests(PostgresApp app) : StreamConformance, IClassFixture<PostgresApp>
{
    private protected override HttpClient Http => app.Client;
}

public sealed class SqliteHandlerStreamTests(SqliteApp app) : StreamConformance, IClassFixture<SqliteApp>
{
    private protected override HttpClient Http => app.Client;
}

public sealed class PostgresHandlerFuzzTests(PostgresApp app) : FuzzConformance, IClassFixture<PostgresApp>
{
    private protected override HttpClient Http => app.Client;
}

public sealed class SqliteHandlerFuzzTests(SqliteApp app) : FuzzConformance, IClassFixture<SqliteApp>
{
    private protected override HttpClient Http => app.Client;
}
