using Broker.Storage.Contracts;

namespace Broker.Tests.Schedules;

/// <summary>A store whose broker is killed when it writes what a round did.</summary>
internal sealed class KilledStore(IScheduleStore store) : IScheduleStore
{
    public Task<bool> EndAsync(StoredSchedule schedule, string owner, ScheduleRound round, CancellationToken ct) => throw new IOException("killed");

    public Task<ScheduleTurn> TakeAsync(string owner, int most, TimeSpan lease, CancellationToken ct) => store.TakeAsync(owner, most, lease, ct);

    public Task<IReadOnlyList<Firing>> WaitingAsync(string name, int most, CancellationToken ct) => store.WaitingAsync(name, most, ct);

    public Task<(SchedulePut Outcome, StoredSchedule? Schedule)> PutAsync(string name, string workflow, string specJson, string keyId, int most, CancellationToken ct) => throw new NotSupportedException();

    public Task<StoredSchedule?> FindAsync(string name, CancellationToken ct) => throw new NotSupportedException();

    public Task<Page<StoredSchedule>> ListAsync(ScheduleChoice choice, int limit, CancellationToken ct) => throw new NotSupportedException();

    public Task<StoredSchedule?> DeleteAsync(string name, CancellationToken ct) => throw new NotSupportedException();

    public Task<StoredSchedule?> PauseAsync(string name, string keyId, string? note, CancellationToken ct) => throw new NotSupportedException();

    public Task<StoredSchedule?> ResumeAsync(string name, CancellationToken ct) => throw new NotSupportedException();

    public Task<IReadOnlyList<Firing>?> AddAsync(string name, IReadOnlyList<Firing> firings, CancellationToken ct) => throw new NotSupportedException();

    public Task<Page<Firing>> HistoryAsync(string name, FiringPhase? phase, long? behind, int limit, CancellationToken ct, bool isBackward = false) => throw new NotSupportedException();

    public Task<int> PruneAsync(DateTimeOffset before, int batch, CancellationToken ct) => throw new NotSupportedException();
}
