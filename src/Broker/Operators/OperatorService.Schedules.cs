using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Broker.Auth;
using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Core.Schedules;
using Broker.Schedules;
using Broker.Storage.Contracts;

namespace Broker.Operators;

internal sealed partial class OperatorService
{
    private const int MostSchedules = 10_000;
    private const int MostBackfilled = 1_000;
    private const int MostNext = 100;

    private static readonly string[] OverlapNames = ["skip", "queue_one", "queue_all", "cancel_running", "allow"];
    private static readonly string[] CatchUpNames = ["latest", "all", "none"];
    private static readonly string[] FiringKinds = ["planned", "triggered", "backfilled"];
    private static readonly string[] FiringStatuses = ["waiting", "started", "skipped"];

    public async Task<Listing<Schedule>> ListSchedulesAsync(ScheduleQuery query, CancellationToken ct)
    {
        var list = ListPage.Read(query.Cursor, $"schedules {query.Paused} {query.Search}", 0, isNamed: true);
        var choice = new ScheduleChoice
        {
            Text = query.Search,
            IsPaused = query.Paused,
            Workflows = Caller.Current.Limit,
            After = list.Place?.Name,
            IsBackward = list.IsBackward,
        };
        var page = await schedules.ListAsync(choice, query.Limit, ct);
        return list.Of(page.Rows, row => new(row.Name), row => ScheduleOf(row, isWhole: false), page.HasMore, engine.Now);
    }

    public async Task<Schedule> GetScheduleAsync(string name, CancellationToken ct) => ScheduleOf(await FindScheduleAsync(name, ct), isWhole: true);

    public async Task<Schedule> PutScheduleAsync(string name, ScheduleSpec spec, CancellationToken ct)
    {
        if (!Caller.Current.May(Scope.Create)) throw new OperatorException(StatusCodes.Status403Forbidden, "missing_scope", "A schedule starts runs: the key lacks the scope create.");
        if (await schedules.FindAsync(name, ct) is { } before)
        {
            if (!Caller.Current.Knows(before.Workflow)) throw NoSchedule(name);
            if (before.IsOwned) throw Owned(before);
        }

        if (!ScheduleReader.IsName(name)) throw new OperatorException(StatusCodes.Status422UnprocessableEntity, "invalid_body", $"The name of a schedule: {ScheduleReader.NameExpected}.");
        var (workflow, json) = SpecOf(name, spec);
        Caller.Current.Demand(workflow);
        _ = await engine.DefinedAsync(workflow, ct) ?? throw BadMember("workflow", $"there is no workflow '{workflow}'");
        var (outcome, stored) = await schedules.PutAsync(name, workflow, json, Caller.Current.Id, MostSchedules, ct);
        if (outcome is SchedulePut.Owned) throw Owned(stored!);
        if (outcome is SchedulePut.Full) throw new OperatorException(StatusCodes.Status409Conflict, "conflict", $"There are {MostSchedules} schedules already: delete one.");
        if (outcome is not SchedulePut.Unchanged) await ScheduleChangedAsync("put_schedule", stored!, null);
        if (spec.Paused is true && stored!.PausedAt is null) return await PauseScheduleAsync(name, new(), ct);
        return spec.Paused is false && stored!.PausedAt is not null ? await ResumeScheduleAsync(name, new(), ct) : ScheduleOf(stored!, isWhole: true);
    }

    public async Task<Schedule> DeleteScheduleAsync(string name, CancellationToken ct)
    {
        await FindScheduleAsync(name, ct);
        var before = await schedules.DeleteAsync(name, ct) ?? throw NoSchedule(name);
        if (before.IsOwned) throw Owned(before);
        await ScheduleChangedAsync("delete_schedule", before, null);
        return ScheduleOf(before, isWhole: true);
    }

    public async Task<Schedule> PauseScheduleAsync(string name, HoldCommand command, CancellationToken ct)
    {
        CheckReason(command.Reason);
        await FindScheduleAsync(name, ct);
        var paused = await schedules.PauseAsync(name, Caller.Current.Id, command.Reason, ct) ?? throw NoSchedule(name);
        await ScheduleChangedAsync("pause_schedule", paused, command.Reason);
        return ScheduleOf(paused, isWhole: true);
    }

    public async Task<Schedule> ResumeScheduleAsync(string name, HoldCommand command, CancellationToken ct)
    {
        CheckReason(command.Reason);
        await FindScheduleAsync(name, ct);
        var resumed = await schedules.ResumeAsync(name, ct) ?? throw NoSchedule(name);
        await ScheduleChangedAsync("resume_schedule", resumed, command.Reason);
        return ScheduleOf(resumed, isWhole: true);
    }

    public async Task<ScheduleFiring> TriggerScheduleAsync(string name, HoldCommand command, CancellationToken ct)
    {
        CheckReason(command.Reason);
        var schedule = await FindScheduleAsync(name, ct);
        var firing = new Firing { Kind = FiringKind.Triggered, Phase = FiringPhase.Waiting, Nominal = engine.Now };
        var instance = FiringId.Of($"{name}-manual", firing.Nominal) + RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz0123456789", 4);
        var ended = await starter.StartAsync(schedule, ScheduleReader.OfStored(schedule.SpecJson), firing, instance, ct);
        if (ended.Phase is FiringPhase.Skipped) throw RefusalOf(ended);
        var stored = await schedules.AddAsync(name, [ended], ct) ?? [ended];
        await ScheduleChangedAsync("trigger_schedule", schedule, command.Reason, ended.Instance);
        return FiringOf(stored[0]);
    }

    public async Task<BackfillPlan> BackfillScheduleAsync(string name, ScheduleBackfill backfill, CancellationToken ct)
    {
        CheckReason(backfill.Reason);
        var schedule = await FindScheduleAsync(name, ct);
        if (backfill.From is not { } from) throw BadMember("from", "is required: an instant");
        if (backfill.To is not { } to) throw BadMember("to", "is required: an instant");
        if (to > engine.Now) throw BadMember("to", "expected an instant of the past");
        if (to < from) throw BadMember("to", "is before from");
        if (from < DateTimeOffset.UnixEpoch) throw BadMember("from", "expected an instant from 1970 on");
        if (backfill.Overlap is { } word && !OverlapNames.Contains(word)) throw BadMember("overlap", $"expected {string.Join(", ", OverlapNames)}");
        var instants = new List<DateTimeOffset>();
        var all = InstantsOf(schedule, out _);
        for (var next = all.After(from.AddTicks(-1)); next <= to; next = all.After(next.Value))
        {
            if (instants.Count == MostBackfilled) throw BadMember("from", $"there are more than {MostBackfilled} instants up to {to.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}: choose fewer");
            instants.Add(next.Value);
        }

        if (backfill.DryRun is true) return new(name, instants, DryRun: true);
        var waiting = (await schedules.WaitingAsync(name, OverlapRule.MostWaiting, ct)).Count;
        if (waiting + instants.Count > OverlapRule.MostWaiting) throw new OperatorException(StatusCodes.Status409Conflict, "conflict", $"{waiting} instants of the schedule wait already, and at most {OverlapRule.MostWaiting} may.");
        var overlap = backfill.Overlap is { } given ? (Overlap)Array.IndexOf(OverlapNames, given) : (Overlap?)null;
        var added = instants.Select(nominal => new Firing { Kind = FiringKind.Backfilled, Phase = FiringPhase.Waiting, Nominal = nominal, Overlap = overlap }).ToList();
        if (added.Count > 0 && await schedules.AddAsync(name, added, ct) is null) throw NoSchedule(name);
        await ScheduleChangedAsync("backfill_schedule", schedule, backfill.Reason, string.Create(CultureInfo.InvariantCulture, $"{instants.Count} instants from {from.UtcDateTime:O} to {to.UtcDateTime:O}"));
        return new(name, instants, DryRun: false);
    }

    public async Task<ScheduleNext> GetNextAsync(string name, int count, CancellationToken ct)
    {
        if (count is < 1 or > MostNext) throw OperatorException.BadParameter("count", $"expected an integer from 1 to {MostNext}");
        var schedule = await FindScheduleAsync(name, ct);
        var all = InstantsOf(schedule, out var rule);
        var zone = TimeZoneInfo.FindSystemTimeZoneById(rule.Zone);
        var instants = new List<ScheduleInstant>();
        for (var next = all.After(Later(schedule.Base, engine.Now)); next is { } nominal && instants.Count < count; next = all.After(nominal))
            instants.Add(new(nominal, nominal + FiringPlan.JitterOf(rule, name, nominal), TimeZoneInfo.ConvertTime(nominal, zone).ToString("yyyy-MM-ddTHH:mm:ss.FFFzzz", CultureInfo.InvariantCulture)));
        return new(name, instants);
    }

    public async Task<Listing<ScheduleFiring>> ListFiringsAsync(string name, FiringQuery query, CancellationToken ct)
    {
        await FindScheduleAsync(name, ct);
        var list = ListPage.Read(query.Cursor, $"firings {name} {query.Status}", 1);
        var phase = query.Status is null ? (FiringPhase?)null : (FiringPhase)Array.IndexOf(FiringStatuses, query.Status);
        var page = await schedules.HistoryAsync(name, phase, list.Place?.Numbers[0], query.Limit, ct, list.IsBackward);
        return list.Of(page.Rows, firing => new(firing.Id), FiringOf, page.HasMore, engine.Now);
    }

    private async Task<StoredSchedule> FindScheduleAsync(string name, CancellationToken ct) =>
        await schedules.FindAsync(name, ct) is { } found && Caller.Current.Knows(found.Workflow) ? found : throw NoSchedule(name);

    private async Task ScheduleChangedAsync(string action, StoredSchedule schedule, string? reason, string? more = null)
    {
        await trail.RecordAsync(action, schedule.Workflow, detail: string.Join(' ', new[] { schedule.Name, more, reason }.OfType<string>()));
        changes.Signal(Topics.Schedules);
        if (hints.IsWatched) hints.Note("schedules");
    }

    private static OperatorException NoSchedule(string name) => OperatorException.NotFound($"There is no schedule '{name}'.");

    private static OperatorException Owned(StoredSchedule schedule) => new(
        StatusCodes.Status409Conflict, "from_definition", $"The schedule '{schedule.Name}' belongs to the definition of workflow '{schedule.Workflow}': change it there, or pause the schedule.");

    private static OperatorException RefusalOf(Firing skipped) => skipped.Reason switch
    {
        SkipReasons.StartsPaused => new(StatusCodes.Status409Conflict, "starts_paused", skipped.Detail!),
        SkipReasons.BacklogFull => new(StatusCodes.Status429TooManyRequests, "backlog_full", skipped.Detail!),
        SkipReasons.InputsRefused => new(StatusCodes.Status422UnprocessableEntity, "invalid_inputs", $"The workflow does not take the schedule's inputs: {skipped.Detail}"),
        _ => OperatorException.NotFound(skipped.Detail!),
    };

    // The rule of a body, checked as one of a definition is, and the zone with it: this broker must know it.
    private static (string Workflow, string SpecJson) SpecOf(string name, ScheduleSpec spec)
    {
        if (string.IsNullOrEmpty(spec.Workflow) || !StorableText.Fits(spec.Workflow)) throw BadMember("workflow", "is required: the name of a workflow");
        var document = JsonSerializer.SerializeToElement(spec with { Workflow = null, Paused = null }, OperatorJson.Default.ScheduleSpec);
        if (UnicodeCheck.Problem(document, "") is { } broken) throw Invalid("invalid_body", broken.ToString(), [new($"/{broken.Path.Replace('.', '/')}", broken.Message)]);
        var (rule, problems) = ScheduleReader.Read(document);
        if (rule is null) throw Invalid("invalid_body", $"{problems[0].Path}: {problems[0].Message}", problems.Select(problem => new OperatorFault($"/{problem.Path.Replace('.', '/')}", problem.Message)));
        return RuleInstants.Of(rule, name, out var refusal) is null ? throw BadMember("timezone", refusal!) : (spec.Workflow, ScheduleReader.SpecOf(document));
    }

    private static IInstants InstantsOf(StoredSchedule schedule, out ScheduleRule rule)
    {
        rule = ScheduleReader.OfStored(schedule.SpecJson);
        return RuleInstants.Of(rule, schedule.Name, out var refusal) ?? throw new OperatorException(StatusCodes.Status409Conflict, "conflict", $"The schedule has no instants: {refusal}.");
    }

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;

    private Schedule ScheduleOf(StoredSchedule stored, bool isWhole)
    {
        var rule = ScheduleReader.OfStored(stored.SpecJson);
        var instants = stored.PausedAt is null ? RuleInstants.Of(rule, stored.Name, out _) : null;
        return new()
        {
            Name = stored.Name,
            Workflow = stored.Workflow,
            Owned = stored.IsOwned,
            Cron = rule.Crons.IsEmpty ? null : rule.Crons,
            Timezone = rule.Crons.IsEmpty ? null : rule.Zone,
            EveryMs = rule.EveryMs,
            Overlap = OverlapNames[(int)rule.Overlap],
            CatchUp = new() { WindowMs = rule.CatchUp.WindowMs, Runs = CatchUpNames[(int)rule.CatchUp.Runs], Most = rule.CatchUp.Most },
            JitterMs = rule.JitterMs,
            StartsAt = rule.StartsAt,
            EndsAt = rule.EndsAt,
            PauseOnFailure = rule.PauseOnFailure,
            Version = rule.Version,
            Inputs = isWhole ? new(rule.InputsJson) : null,
            Tags = rule.TagsJson is null ? null : new(rule.TagsJson),
            Priority = rule.Priority == 0 ? null : rule.Priority,
            Paused = stored.PausedAt is { } at ? new(at, stored.PausedBy!, stored.PauseNote) : null,
            DisabledBecause = stored.DisabledBecause,
            Next = instants?.After(Later(stored.Base, engine.Now)),
            LastInstance = stored.LastInstance,
            LastAt = stored.LastAt,
            Started = stored.Started,
            Skipped = stored.Skipped,
            CreatedBy = stored.KeyId,
            CreatedAt = stored.CreatedAt,
            UpdatedAt = stored.UpdatedAt,
        };
    }

    private static ScheduleFiring FiringOf(Firing firing) => new()
    {
        Id = firing.Id,
        Kind = FiringKinds[(int)firing.Kind],
        Status = FiringStatuses[(int)firing.Phase],
        Nominal = firing.Nominal,
        Until = firing.Until,
        Count = firing.Count,
        Capped = firing.IsCapped ? true : null,
        Reason = firing.Reason,
        Detail = firing.Detail,
        Instance = firing.Instance,
        At = firing.At,
    };
}
