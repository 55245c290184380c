using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace Broker.Storage;

/// <summary>Where the data is: a PostgreSQL connection string or a SQLite file.</summary>
public sealed record DatabaseTarget(string? Postgres, string? SqlitePath)
{
    /// <summary>What an operator calls it, without its password.</summary>
    public string Name => SqlitePath is { } path
        ? Path.GetFullPath(path)
        : OfServer(new(Postgres));

    private static string OfServer(NpgsqlConnectionStringBuilder server) => $"PostgreSQL on {server.Host}, database {server.Database ?? server.Username}";
}

/// <summary>
/// Reads <c>DATABASE_URL</c>: <c>postgres://user:pass@host:port/db</c>, an Npgsql connection string, or <c>sqlite:PATH</c>.
/// Behind a pooler in transaction mode the URL ends in <c>?pooler=transaction</c>. Nothing at
/// all is a SQLite file in <c>./broker-data/</c>.
/// </summary>
public static class DatabaseUrl
{
    public const string DefaultPath = "broker-data/broker.db";

    private const string Expected = "expected postgres://user:password@host:5432/database, an Npgsql connection string (Host=…;Database=…) or sqlite:PATH";

    public static bool TryParse(string? text, [NotNullWhen(true)] out DatabaseTarget? target, out string problem)
    {
        problem = "";
        target = null;
        if (string.IsNullOrWhiteSpace(text))
        {
            target = new(null, DefaultPath);
        }
        else if (text.StartsWith("sqlite:", StringComparison.OrdinalIgnoreCase))
        {
            var path = text["sqlite:".Length..];
            if (path.StartsWith("//", StringComparison.Ordinal)) path = path[2..];
            // A database in memory would be another one for each connection, and SQLite's own URLs can ask for that too.
            if (path.Length > 0 && path != ":memory:" && !path.StartsWith("file:", StringComparison.OrdinalIgnoreCase) && !path.Contains('\0')) target = new(null, path);
        }
        else if (text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase))
        {
            target = FromUrl(text);
        }
        else
        {
            target = FromConnectionString(text);
        }

        if (target is null) problem = Expected;
        return target is not null;
    }

    private static DatabaseTarget? FromUrl(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Host.Length == 0) return null;
        var builder = new NpgsqlConnectionStringBuilder { Host = url.Host };
        if (url.Port > 0) builder.Port = url.Port;
        var user = url.UserInfo.Split(':', 2);
        if (user[0].Length > 0) builder.Username = Uri.UnescapeDataString(user[0]);
        if (user.Length == 2) builder.Password = Uri.UnescapeDataString(user[1]);
        if (url.AbsolutePath.Length > 1) builder.Database = Uri.UnescapeDataString(url.AbsolutePath[1..]);
        foreach (var option in url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var pair = option.Split('=', 2);
            var value = pair.Length == 2 ? Uri.UnescapeDataString(pair[1]) : "";
            try
            {
                // libpq's names for what people put behind the question mark; the rest are Npgsql's own.
                if (pair[0] == "pooler") builder.MaxAutoPrepare = value == "transaction" ? 0 : throw new ArgumentException($"pooler={value}");
                else if (pair[0] == "sslmode") builder.SslMode = Enum.Parse<SslMode>(value.Replace("-", "", StringComparison.Ordinal), ignoreCase: true);
                else if (pair[0] == "host") builder.Host = value;
                else builder[Uri.UnescapeDataString(pair[0])] = value;
            }
            catch (Exception wrong) when (wrong is ArgumentException or FormatException or InvalidCastException or OverflowException or KeyNotFoundException)
            {
                return null;
            }
        }

        return new(builder.ConnectionString, null);
    }

    private static DatabaseTarget? FromConnectionString(string text)
    {
        try
        {
            var builder = new NpgsqlConnectionStringBuilder(text);
            return string.IsNullOrEmpty(builder.Host) ? null : new(builder.ConnectionString, null);
        }
        catch (Exception wrong) when (wrong is ArgumentException or FormatException or InvalidCastException or OverflowException or KeyNotFoundException)
        {
            return null;
        }
    }
}
