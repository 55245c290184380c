using Broker.Auth;
using Broker.Testing;
using Broker.Tests.App;

namespace Broker.Tests.Auth;

/// <summary>Keys of the configuration, one for each scope, and two that are limited to one workflow.</summary>
internal static class TestKeys
{
    /// <summary>The workflow that the limited keys are for.</summary>
    public const string Mine = "mine";

    private static readonly (string Id, string Scopes, string? Workflows)[] All =
    [
        ("reader", "read", null), ("creator", "create", null), ("manager", "manage", null), ("deleter", "delete", null), ("purger", "manage,delete", null), ("sender", "event", null), ("ticker", "tick", null),
        ("worker", "worker", null), ("cloner", "credentials", null), ("admin", "admin", null), ("checkout", "worker,credentials", null), ("limited", "read,create,manage,delete,event,tick,worker", Mine), ("other", "read,worker", "other"),
    ];

    public static string Of(string id) => $"brk_{id}_{new string('s', 40)}";

    /// <summary>Retention is off, so that only the tests themselves remove anything.</summary>
    public static string[] Settings => ["--Broker:Auth:AuditRetention=00:00:00", .. All.SelectMany((key, i) => SettingsOf(i, key.Id, key.Scopes, key.Workflows))];

    /// <summary>The id of a key that lacks every one of these scopes.</summary>
    public static string Without(Scope scopes) => All.First(key => key.Workflows is null && (ScopeWords.Known([key.Scopes]) & (scopes | Scope.Admin)) == 0).Id;

    private static IEnumerable<string> SettingsOf(int place, string id, string scopes, string? workflows)
    {
        yield return $"--Broker:Auth:Keys:{place}:Id={id}";
        yield return $"--Broker:Auth:Keys:{place}:Hash={ApiKey.HashOf(Of(id))}";
        yield return $"--Broker:Auth:Keys:{place}:Scopes={scopes}";
        if (workflows is not null) yield return $"--Broker:Auth:Keys:{place}:Workflows={workflows}";
    }
}

/// <summary>A broker that asks for keys.</summary>
public sealed class KeyedPostgresApp(PostgresCluster cluster) : PostgresApp(cluster)
{
    private protected override string[] FirstSettings => TestKeys.Settings;
}

/// <summary>A broker that asks for keys.</summary>
public sealed class KeyedSqliteApp : SqliteApp
{
    private protected override string[] FirstSettings => TestKeys.Settings;
}
