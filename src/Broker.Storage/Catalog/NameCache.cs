using Broker.Core.Runs;
using Broker.Storage.Caching;

namespace Broker.Storage.Catalog;

/// <summary>
/// Run names → ids, for reports by name. A name never changes its id while the run exists; a purged one leaves, and a stale entry only
/// leads to a run that is not there.
/// </summary>
internal sealed class NameCache
{
    private const int Half = 50_000;

    private volatile ConcurrentLru<RunName, (long Id, int DefinitionId)> runs = new(Half);

    public bool TryGet(RunName name, out (long Id, int DefinitionId) run)
    {
        run = default;
        return name.Number is not null && runs.TryGet(name, out run);
    }

    public void Add(RunName name, (long Id, int DefinitionId) run) => runs.Set(name, run);

    public void Forget(RunRef run)
    {
        for (var number = 0; number <= run.Number; number++) Forget(new RunName(run.Workflow, run.InstanceId, number));
    }

    public void Forget(RunName name) => runs.Remove(name);

    public void ForgetAll() => runs = new(Half);
}
