using Broker.Storage.Contracts;
using Npgsql;
using Xunit;

namespace Broker.Storage.Tests;

public sealed class DatabaseUrlTests
{
    private static NpgsqlConnectionStringBuilder Read(string text)
    {
        Assert.True(DatabaseUrl.TryParse(text, out var target, out var problem), problem);
        return new(target.Postgres);
    }

    [Theory]
    [InlineData("postgres://u:p@h1:5433,h2:5434/db", "h1:5433,h2:5434")]
    [InlineData("postgresql://u:p@h1,h2:5434,h3/db", "h1,h2:5434,h3")]
    [InlineData("postgres://u:p@[::1]:5433,[fe80::2]/db", "[::1]:5433,[fe80::2]")]
    [InlineData("Host=h1:5433,h2;Username=u;Password=p;Database=db", "h1:5433,h2")]
    public void Several_hosts_are_searched_for_the_primary_each_second(string text, string hosts)
    {
        var read = Read(text);
        Assert.Equal((hosts, "u", "p", "db"), (read.Host, read.Username, read.Password, read.Database));
        Assert.Equal(("primary", 1, 5), (read.TargetSessionAttributes, read.HostRecheckSeconds, read.Timeout));
    }

    [Theory]
    [InlineData("postgres://u@h1,h2/db?target_session_attrs=any&Host%20Recheck%20Seconds=10&connect_timeout=15")]
    [InlineData("postgres://u@h1,h2/db?Target Session Attributes=any&Host Recheck Seconds=10&Timeout=15")]
    [InlineData("Host=h1,h2;Username=u;Database=db;Target Session Attributes=any;Host Recheck Seconds=10;Timeout=15")]
    public void A_stated_option_of_the_address_is_kept(string text)
    {
        var read = Read(text);
        Assert.Equal(("any", 10, 15), (read.TargetSessionAttributes, read.HostRecheckSeconds, read.Timeout));
    }

    [Theory]
    [InlineData("postgres://u%40x:p%2F%3A@h:5433/d%20b?sslmode=verify-full&application_name=mine", "h", 5433, "u@x", "p/:", "d b")]
    [InlineData("postgres://u:a@b@h/db", "h", 5432, "u", "a@b", "db")]
    [InlineData("postgres://[::1]:5433/db", "::1", 5433, null, null, "db")]
    [InlineData("postgres://h", "h", 5432, null, null, null)]
    [InlineData("postgres:///db?host=/run/postgresql", "/run/postgresql", 5432, null, null, "db")]
    public void A_single_host_is_read_from_the_address(string text, string host, int port, string? user, string? password, string? database)
    {
        var read = Read(text);
        Assert.Equal((host, port, user, password, database), (read.Host, read.Port, read.Username, read.Password, read.Database));
        Assert.Null(read.TargetSessionAttributes);
    }

    [Theory]
    [InlineData("postgres://")]
    [InlineData("postgres:///db")]
    [InlineData("postgres://u@h1,/db")]
    [InlineData("postgres://u@h1:0,h2/db")]
    [InlineData("postgres://u@h1:70000/db")]
    [InlineData("postgres://u@h1:x,h2/db")]
    [InlineData("postgres://u@h 1/db")]
    [InlineData("postgres://u@h1,h2/db?pooler=session")]
    [InlineData("postgres://u@h1,h2/db?target_session_attrs=whatever")]
    [InlineData("postgres://u@h1,h2/db?No Such Option=1")]
    public void A_url_that_cannot_be_meant_is_refused(string text)
    {
        Assert.False(DatabaseUrl.TryParse(text, out _, out var problem));
        Assert.Contains("postgres://", problem, StringComparison.Ordinal);
    }
}
