namespace Broker.Benchmarks.Harness;

internal enum Database
{
    Postgres,
    Sqlite,
}
