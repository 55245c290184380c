using Broker.Storage.Sqlite;
using Microsoft.Data.Sqlite;
using Xunit;

namespace Broker.Storage.Tests;

public sealed class SqliteStatementTests : IDisposable
{
    private readonly SqliteConnection connection = new("Data Source=:memory:");

    public SqliteStatementTests()
    {
        connection.Open();
        Run("CREATE TABLE kept (id INTEGER PRIMARY KEY, text TEXT, number INTEGER)");
    }

    public static TheoryData<string> Texts => ["plain", "", "nul \0 within", "\0", "grüße 🧪", new string('ä', 300), new string('x', 100_000)];

    [Theory]
    [InlineData(null)]
    [MemberData(nameof(Texts))]
    public void A_text_comes_back_as_it_went_in(string? text)
    {
        Run("INSERT INTO kept (id, text) VALUES (@p0, @p1)", 1, text);
        using var statement = new SqliteStatement(connection, "SELECT text, text IS NULL FROM kept WHERE text IS @p0");
        using var rows = statement.Query([text]);
        Assert.True(rows.Read());
        Assert.Equal((text, text is null), (rows.IsDBNull(0) ? null : rows.GetString(0), rows.GetBoolean(1)));
        Assert.False(rows.Read());
    }

    [Fact]
    public void Parameters_go_by_their_numbers_wherever_they_stand()
    {
        Run("INSERT INTO kept (number, id) VALUES (@p1, @p0)", 1, long.MinValue);
        using var statement = new SqliteStatement(connection, "SELECT id, number FROM kept");
        using var rows = statement.Query([]);
        Assert.True(rows.Read());
        Assert.Equal((1, long.MinValue), (rows.GetInt32(0), rows.GetInt64(1)));
    }

    [Fact]
    public void A_statement_that_failed_can_be_used_again()
    {
        using var insert = new SqliteStatement(connection, "INSERT INTO kept (id) VALUES (@p0)");
        insert.Execute([1]);
        var fault = Assert.Throws<SqliteException>(() => insert.Execute([1]));
        Assert.Equal(1555, fault.SqliteExtendedErrorCode);
        insert.Execute([2]);
        using var count = new SqliteStatement(connection, "SELECT count(*) FROM kept");
        using var rows = count.Query([]);
        Assert.True(rows.Read());
        Assert.Equal(2, rows.GetInt32(0));
    }

    [Fact]
    public void Rows_that_were_not_all_read_are_read_from_the_first_next_time()
    {
        Run("INSERT INTO kept (id) VALUES (@p0), (@p1)", 1, 2);
        using var statement = new SqliteStatement(connection, "SELECT id FROM kept ORDER BY id");
        for (var time = 0; time < 2; time++)
        {
            using var rows = statement.Query([]);
            Assert.True(rows.Read());
            Assert.Equal(1, rows.GetInt32(0));
        }
    }

    [Fact]
    public void Wrong_sql_says_what_is_wrong() =>
        Assert.Contains("nowhere", Assert.Throws<SqliteException>(() => new SqliteStatement(connection, "SELECT 1 FROM nowhere")).Message, StringComparison.Ordinal);

    public void Dispose() => connection.Dispose();

    private void Run(string sql, params ReadOnlySpan<SqliteValue> values)
    {
        using var statement = new SqliteStatement(connection, sql);
        statement.Execute(values);
    }
}
