using Broker.Storage.Diagnostics;
using Broker.Storage.Dispatch;
using Broker.Storage.Postgres.Caching;
using Npgsql;

namespace Broker.Storage.Postgres;

/// <summary>
/// Compares cached runs and steps with the rows, in the transaction that was decided from them. A difference makes the transaction load its runs and
/// decide again.
/// </summary>
internal sealed class CachedRunCheck(RunCache cache, DatabaseClockEstimate clock)
{
    private static readonly KeyValuePair<string, object?> Current = new("outcome", "current");
    private static readonly KeyValuePair<string, object?> Outdated = new("outcome", "stale");

    /// <summary>Reads the locked versions of the cached runs.</summary>
    public void Versions(NpgsqlDataReader reader, CachedRuns cached)
    {
        foreach (var run in cached.Runs)
        {
            if (!reader.Read() || reader.GetFieldValue<uint>(0) != run.Version) throw Stale();
            CheckClock(reader, cached);
        }

        reader.NextResult();
    }

    /// <summary>Reads the version that the written runs have now: one for all, since one transaction writes them.</summary>
    /// <param name="reader">At the result of the update.</param>
    /// <param name="changed">The runs that were to be written.</param>
    /// <param name="verified">The cached runs, where the update compares their versions; else null.</param>
    public uint Written(NpgsqlDataReader reader, List<RunChange> changed, CachedRuns? verified)
    {
        var written = 0;
        uint version = 0;
        for (; reader.Read(); written++)
        {
            version = reader.GetFieldValue<uint>(0);
            if (verified is not null) CheckClock(reader, verified);
        }

        if (written != changed.Count) throw Stale();
        reader.NextResult();
        return version;
    }

    /// <summary>A step is written only while it is leased under the cached fence.</summary>
    public void Steps(int expected, int written)
    {
        if (written != expected) throw Stale();
        cache.OnHit();
        StorageMetrics.RunCacheChecks.Add(1, Current);
    }

    // A clock that is far off was set, or this machine has slept.
    private void CheckClock(NpgsqlDataReader reader, CachedRuns cached)
    {
        var now = reader.GetInt64(1);
        clock.Observe(now);
        if (DatabaseClockEstimate.IsFar(now, cached.Now)) throw Stale();
    }

    private OptimisticConcurrencyException Stale()
    {
        cache.OnMiss();
        StorageMetrics.RunCacheChecks.Add(1, Outdated);
        return new OptimisticConcurrencyException();
    }
}
