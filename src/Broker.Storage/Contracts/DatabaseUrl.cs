using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;

namespace Broker.Storage.Contracts;

/// <summary>Where the data is: a PostgreSQL connection string or a SQLite file.</summary>
public sealed record DatabaseTarget(string? Postgres, string? SqlitePath)
{
    /// <summary>Name of the database for log lines, without its password.</summary>
    public string Name => SqlitePath is { } path
        ? Path.GetFullPath(path)
        : OfServer(new(Postgres));

    private static string OfServer(NpgsqlConnectionStringBuilder server) => $"PostgreSQL on {server.Host}, database {server.Database ?? server.Username}";
}

/// <summary>
/// Reads <c>DATABASE_URL</c>: <c>postgres://user:pass@host:port/db</c>, with commas between several hosts, an Npgsql connection string, or <c>sqlite:PATH</c>.
/// Behind a pooler in transaction mode the URL ends in <c>?pooler=transaction</c>. Nothing at
/// all is a SQLite file in <c>./broker-data/</c>.
/// </summary>
public static partial class DatabaseUrl
{
    public const string DefaultPath = "broker-data/broker.db";

    private const string Expected = "expected postgres://user:password@host:5432/database (or host1:5432,host2:5432), an Npgsql connection string (Host=…;Database=…) or sqlite:PATH";

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

    // Not by Uri, which knows no list of hosts.
    private static DatabaseTarget? FromUrl(string text)
    {
        var rest = text[(text.IndexOf("://", StringComparison.Ordinal) + 3)..];
        if (rest.Contains('#', StringComparison.Ordinal)) return null;
        var query = rest.IndexOf('?', StringComparison.Ordinal) is >= 0 and var mark ? rest[(mark + 1)..] : "";
        var path = query.Length > 0 || rest.EndsWith('?') ? rest[..rest.IndexOf('?', StringComparison.Ordinal)] : rest;
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        var authority = slash < 0 ? path : path[..slash];
        var at = authority.LastIndexOf('@');
        var builder = new NpgsqlConnectionStringBuilder();
        try
        {
            if (!SetHosts(builder, authority[(at + 1)..])) return null;
            if (at >= 0) SetUser(builder, authority[..at].Split(':', 2));
            if (slash >= 0 && slash + 1 < path.Length) builder.Database = Uri.UnescapeDataString(path[(slash + 1)..]);
            foreach (var option in query.Split('&', StringSplitOptions.RemoveEmptyEntries)) SetOption(builder, option.Split('=', 2));
        }
        catch (Exception wrong) when (wrong is ArgumentException or FormatException or InvalidCastException or OverflowException or KeyNotFoundException)
        {
            return null;
        }

        return string.IsNullOrEmpty(builder.Host) ? null : new(WithDefaults(builder), null);
    }

    private static void SetUser(NpgsqlConnectionStringBuilder builder, string[] user)
    {
        if (user[0].Length > 0) builder.Username = Uri.UnescapeDataString(user[0]);
        if (user.Length == 2) builder.Password = Uri.UnescapeDataString(user[1]);
    }

    // One host, or several with commas between them, each with a port of its own. None: ?host= names it, as a folder of a socket.
    private static bool SetHosts(NpgsqlConnectionStringBuilder builder, string hosts)
    {
        if (hosts.Length == 0) return true;
        var list = hosts.Split(',');
        if (!Array.TrueForAll(list, host => HostForm().IsMatch(host) && IsPort(host))) return false;
        builder.Host = string.Join(',', list.Select(host => Uri.UnescapeDataString(host)));
        if (list.Length > 1 || PortOf(hosts) is not { } port) return true;
        (builder.Host, builder.Port) = (Uri.UnescapeDataString(hosts[..^(port.Length + 1)]).Trim('[', ']'), int.Parse(port, CultureInfo.InvariantCulture));
        return true;
    }

    private static string? PortOf(string host) => host.LastIndexOf(':') is >= 0 and var colon && colon > host.LastIndexOf(']') ? host[(colon + 1)..] : null;

    private static bool IsPort(string host) => PortOf(host) is not { } port || ushort.TryParse(port, CultureInfo.InvariantCulture, out var number) && number > 0;

    [GeneratedRegex(@"^(\[[0-9A-Fa-f:.%]+\]|[^\s:\[\]@]+)(:[0-9]{1,5})?$")]
    private static partial Regex HostForm();

    // libpq's names for what people put behind the question mark; the rest are Npgsql's own.
    private static void SetOption(NpgsqlConnectionStringBuilder builder, string[] pair)
    {
        var value = pair.Length == 2 ? Uri.UnescapeDataString(pair[1]) : "";
        switch (pair[0])
        {
            case "pooler":
                builder.MaxAutoPrepare = value == "transaction" ? 0 : throw new ArgumentException($"pooler={value}");
                break;
            case "sslmode":
                builder.SslMode = Enum.Parse<SslMode>(value.Replace("-", "", StringComparison.Ordinal), ignoreCase: true);
                break;
            case "target_session_attrs":
                builder.TargetSessionAttributes = value;
                break;
            case "connect_timeout":
                builder.Timeout = int.Parse(value, CultureInfo.InvariantCulture);
                break;
            case "application_name":
                builder.ApplicationName = value;
                break;
            default:
                builder[Uri.UnescapeDataString(pair[0])] = value;
                break;
        }
    }

    /// <summary>
    /// For several hosts: the primary among them, looked for each second, where nothing else is written. With the driver's own 10 s a failover took
    /// 10.7 s, with 1 s 3.0 s; and its 15 s to connect are too long for a host that is gone without a word.
    /// </summary>
    private static string WithDefaults(NpgsqlConnectionStringBuilder builder)
    {
        if (!builder.Host!.Contains(',', StringComparison.Ordinal)) return builder.ConnectionString;
        var written = new DbConnectionStringBuilder { ConnectionString = builder.ConnectionString };
        if (!written.ContainsKey("Target Session Attributes")) builder.TargetSessionAttributes = "primary";
        if (!written.ContainsKey("Host Recheck Seconds")) builder.HostRecheckSeconds = 1;
        if (!written.ContainsKey("Timeout")) builder.Timeout = 5;
        return builder.ConnectionString;
    }

    private static DatabaseTarget? FromConnectionString(string text)
    {
        try
        {
            var builder = new NpgsqlConnectionStringBuilder(text);
            return string.IsNullOrEmpty(builder.Host) ? null : new(WithDefaults(builder), null);
        }
        catch (Exception wrong) when (wrong is ArgumentException or FormatException or InvalidCastException or OverflowException or KeyNotFoundException)
        {
            return null;
        }
    }
}
