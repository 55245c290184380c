using Broker.Tests.App;
using Xunit;

namespace Broker.Tests.BrokerDialect;

public sealed class PostgresBrokerDialectTests(PostgresApp app) : BrokerDialectTests, IClassFixture<PostgresApp>
{
    protected override HttpClient Client => app.Client;
}

public sealed class SqliteBrokerDialectTests(SqliteApp app) : BrokerDialectTests, IClassFixture<SqliteApp>
{
    protected override HttpClient Client => app.Client;
}
