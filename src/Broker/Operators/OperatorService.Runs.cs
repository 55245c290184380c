using Broker.Auth;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;

namespace Broker.Operators;

internal sealed partial class OperatorService
{
    private const int ListedNumbers = 100;

    public async Task<Listing<RunSummary>> ListRunsAsync(RunQuery query, CancellationToken ct)
    {
        // The instant of the first page: a time ago means the same on each page.
        var page = ListPage.Read(query.Cursor, $"runs {query.OldestFirst} {query.Where}", 4);
        var place = page.Place?.Numbers;
        var asOf = place is null ? engine.Now : InstantOf(place[3]);
        var filter = RunFilterReader.Of(query.Where, asOf, Caller.Current.Limit);
        var after = place is null ? (RunListPlace?)null : new(place[0] != 0, InstantOf(place[1]), place[2]);
        var found = await search.ListAsync(new(filter, after, query.OldestFirst != page.IsBackward, query.Limit), ct);
        ListPlace PlaceOf(bool isById, DateTimeOffset createdAt, long id) => new(isById ? 1 : 0, MicrosOf(createdAt), id, MicrosOf(asOf));
        var listed = page.Of(
            found.Rows, run => PlaceOf(after?.IsById is true, run.CreatedAt, run.Ref.Id), run => run, found.Next is { } end ? PlaceOf(end.IsById, end.CreatedAt, end.Id) : null,
            found.Now, found.SearchedTo is null);

        // Ids are nearly in order of creation: within a page the order is exact.
        var rows = query.OldestFirst ? listed.Items.OrderBy(run => run.CreatedAt).ThenBy(run => run.Ref.Id) : listed.Items.OrderByDescending(run => run.CreatedAt).ThenByDescending(run => run.Ref.Id);
        return new([.. rows.Select(run => SummaryOf(run, found.Now))], listed.Next, found.Now, listed.Complete, found.SearchedTo) { Prev = listed.Prev };
    }

    public async Task<RunCount> CountRunsAsync(RunQuery query, int max, CancellationToken ct)
    {
        var count = await search.CountAsync(RunFilterReader.Of(query.Where, engine.Now, Caller.Current.Limit), max, ct);
        return new(count.Count, count.IsCapped, count.SearchedTo is null, count.SearchedTo, count.Now);
    }

    public async Task<RunDetail> GetRunAsync(RunAddress run, CancellationToken ct)
    {
        var view = await FindAsync(run, ct);
        var numbers = await search.NumbersAsync(view.Ref.Workflow, view.Ref.InstanceId, ListedNumbers, ct);
        var last = numbers.Count > 0 ? numbers[0] : view.Ref.Number;
        var (from, forks) = await search.KeptStepsAsync(view.Ref, ListedNumbers, ct);
        return new RunDetail
        {
            Workflow = view.Ref.Workflow,
            Instance = view.Ref.InstanceId,
            Run = view.Ref.Number,
            LastRun = last,
            Status = RunWords.Of(view.Status),
            Version = view.Definition.Version,
            CreatedAt = view.QueuedAt,
            StartedAt = view.StartedAt,
            UpdatedAt = view.UpdatedAt,
            EndedAt = view.EndedAt,
            DurationMs = DurationOf(view.StartedAt, view.EndedAt, engine.Now),
            Steps = new(
                view.Definition.Steps.Length, view.Steps.Count(s => s.IsFinished), view.Steps.Count(s => s.Status is StepStatus.Failed),
                view.Steps.Count(s => s.Status is StepStatus.Leased)),
            Current = [.. view.Steps.Where(s => s.Status is StepStatus.Leased or StepStatus.Waiting).OrderBy(s => s.Status).ThenBy(s => s.Index).Take(Limits.ListedSteps).Select(s => CurrentOf(view, s))],
            Error = view.Error is { } error ? new(FailedStepOf(view), error.Name, error.Message) : null,
            Tags = view.TagsJson is { } tags ? new(tags) : null,
            Inputs = new(view.InputsJson),
            Result = view.ResultJson is { } result ? new(result) : null,
            Context = view.ContextJson is { } context ? new(context) : null,
            Definition = new(view.Definition.Version, view.Definition.Fingerprint),
            Lineage = new(numbers, view.CreatedAt, from is null ? null : AddressOf(from), forks.Count == 0 ? null : [.. forks.Select(AddressOf)]),
            Actions = RunActions.Of(view, view.Ref.Number == last),
            AsOf = engine.Now,
        };
    }

    private static RunAddress AddressOf(RunRef run) => new(run.Workflow, run.InstanceId, run.Number);

    private static RunSummary SummaryOf(ListedRun run, DateTimeOffset now) => new()
    {
        Workflow = run.Ref.Workflow,
        Instance = run.Ref.InstanceId,
        Run = run.Ref.Number,
        LastRun = run.LastNumber,
        Status = RunWords.Of(run.Status),
        Version = run.Definition.Version,
        CreatedAt = run.CreatedAt,
        StartedAt = run.StartedAt,
        UpdatedAt = run.UpdatedAt,
        EndedAt = run.EndedAt,
        DurationMs = DurationOf(run.StartedAt, run.EndedAt, now),
        Steps = new(run.Definition.Steps.Length, run.Progress?.Done, run.Progress?.Failed, run.Progress?.Running),
        Current = [.. (run.Progress?.Current ?? []).Select(step => new CurrentStep(
            run.Definition.NameOf(step.Index), RunWords.Of(step.Status), step.Worker,
            step.Status is StepStatus.Waiting ? run.Definition.Steps[step.Index].EventType : null, step.Since, step.Until == RunSession.Never ? null : step.Until))],
        Tags = run.TagsJson is { } tags ? new(tags) : null,
        Error = run.Error is { } error
            ? new(run.Progress?.FailedStep is { } index ? run.Definition.Steps[index].Name : null, error.Name, RunWords.Cut(error.Message, Limits.ListedMessage))
            : null,
    };

    private static CurrentStep CurrentOf(RunView run, StepState step)
    {
        var definition = run.Definition.Steps[step.Index];
        return step.Status is StepStatus.Leased
            ? new(definition.Name, RunWords.Of(step.Status), step.Worker, null, step.GrantedAt, step.ExpiresAt)
            : new(definition.Name, RunWords.Of(step.Status), null, definition.EventType, step.BegunAt, step.Items is null ? step.Due : null);
    }

    private static string? FailedStepOf(RunView run) =>
        run.Steps.Where(s => s.Status is StepStatus.Failed).OrderBy(s => s.EndedAt).ThenBy(s => s.Index).FirstOrDefault() is { } failed ? run.Definition.Steps[failed.Index].Name : null;

    private static long? DurationOf(DateTimeOffset? started, DateTimeOffset? ended, DateTimeOffset now) =>
        started is { } start ? Math.Max(0, (long)((ended ?? now) - start).TotalMilliseconds) : null;

    private static long MicrosOf(DateTimeOffset at) => (at.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / TimeSpan.TicksPerMicrosecond;

    // A forged cursor may hold any number.
    private static DateTimeOffset InstantOf(long micros)
    {
        const long most = 200_000_000_000_000_000;
        return DateTimeOffset.UnixEpoch.AddTicks(Math.Clamp(micros, -most / 4, most) * TimeSpan.TicksPerMicrosecond);
    }
}
