using Broker.Tests.App;
using Xunit;

namespace Broker.Tests.InstancesDialect;

public sealed class PostgresInstancesDialectTests(PostgresApp app) : InstancesDialectTests, IClassFixture<PostgresApp>
{
    protected override HttpClient Client => app.Client;
}

public sealed class SqliteInstancesDialectTests(SqliteApp app) : InstancesDialectTests, IClassFixture<SqliteApp>
{
    protected override HttpClient Client => app.Client;
}
