using Broker.Api.JobsDialect;
using Broker.Auth;
using Broker.Core.Json;
using Broker.Engine;
using Broker.Settings;
using Broker.Storage.Contracts;

namespace Broker.WorkflowFiles;

/// <summary>
/// Registers the state of the folder: all files at the start and in a new epoch, else those that changed. Only changes that this broker
/// saw count, so brokers with different states of one folder do not undo each other's.
/// </summary>
internal sealed partial class WorkflowFileSync(BrokerEngine engine, BrokerSettings settings, IStoreEpoch epoch, TimeProvider clock, ILogger<WorkflowFileSync> log) : IDisposable
{
    /// <summary>A faulty file that is younger may be half written: its former content counts until then.</summary>
    internal static readonly TimeSpan Settling = TimeSpan.FromSeconds(2);

    private const int MostErrorCharacters = 2000;

    private readonly WorkflowFolder folder = new(settings.WorkflowsDir, clock);
    private readonly SemaphoreSlim looking = new(1);
    private Dictionary<string, (WorkflowFile? Read, FolderFile State)> applied = new(StringComparer.Ordinal);
    private int? appliedIn;
    private List<string> reported = [];

    private bool HasBegun => appliedIn is not null;

    // Links stay unresolved: a folder that is replaced by swapping a link stays the same source.
    private string Source => settings.WorkflowsSource ?? Path.TrimEndingDirectorySeparator(Path.GetFullPath(settings.WorkflowsDir));

    public void Dispose() => looking.Dispose();

    /// <summary>Scans the folder and registers its changes. Does nothing after the first look while nothing changes.</summary>
    /// <param name="faults">Where faulty files are reported.</param>
    /// <param name="ct">Gives up.</param>
    /// <returns>Workflows that the folder offers.</returns>
    public async Task<int> LookAsync(TextWriter faults, CancellationToken ct)
    {
        await looking.WaitAsync(ct);
        try
        {
            Caller.Current = Caller.Broker;
            var reading = folder.Read();
            if (reading.IsListed) await TakeAsync(reading, faults, ct);
            else if (!HasBegun) await ReportAsync(faults, reading.Problems.Select(p => p.ToString()));
            return applied.Values.Count(f => f.State.Definition is not null);
        }
        finally
        {
            looking.Release();
        }
    }

    private async Task TakeAsync(FolderReading reading, TextWriter faults, CancellationToken ct)
    {
        var now = epoch.Number;
        var isWhole = appliedIn != now;
        var found = StatesOf(reading, out var said);
        if (HasBegun) KeepUnsettled(found);
        var changed = found.Where(f => !IsSame(applied.GetValueOrDefault(f.Key).State, f.Value.State)).Select(f => f.Value.State).ToList();
        var removed = applied.Keys.Where(name => !found.ContainsKey(name)).ToList();
        if (isWhole || changed.Count > 0 || removed.Count > 0)
        {
            var reported = isWhole ? [.. found.Values.Select(f => f.State)] : changed;
            await engine.ApplyAsync(new FolderChange(Source, reported, removed) { IsWhole = isWhole, IsAlone = settings.Target().SqlitePath is not null }, ct);
            if (HasBegun) LogChanged(log, settings.WorkflowsDir, string.Join(", ", reported.Select(f => f.File)), string.Join(", ", removed));
        }

        var files = changed.Select(f => f.File).ToHashSet(StringComparer.Ordinal);
        var unlisted = Unlisted(said, found);
        await ReportAsync(faults, said.Where(p => !HasBegun || files.Contains(p.File)).Select(p => p.Text));
        if (HasBegun) await ReportAsync(faults, unlisted.Except(reported));
        (applied, appliedIn, reported) = (found, now, unlisted);
    }

    private Dictionary<string, (WorkflowFile? Read, FolderFile State)> StatesOf(FolderReading reading, out List<(string File, string Text)> said)
    {
        said = [.. reading.Problems.Select(p => (p.File, p.ToString()))];
        var found = new Dictionary<string, (WorkflowFile? Read, FolderFile State)>(StringComparer.Ordinal);
        foreach (var file in reading.Files)
        {
            if (applied.TryGetValue(file.Id, out var known) && ReferenceEquals(known.Read, file))
            {
                found[file.Id] = known;
                continue;
            }

            var (definition, problems) = JobsDocument.Read(file, fromFile: true);
            var placed = problems.Select(problem => file.At(problem).ToString()).ToList();
            said.AddRange(placed.Select(problem => (file.FileName, problem)));
            found[file.Id] = (file, new(file.Id, file.FileName, definition, definition is null ? Cut(placed) : null));
        }

        // A second file of the same stem is a problem of its own, and none of the workflow.
        foreach (var faulty in reading.Problems.GroupBy(p => p.File))
        {
            var id = Path.GetFileNameWithoutExtension(faulty.Key);
            if (JobIds.MayExist(id)) found.TryAdd(id, (null, new(id, faulty.Key, null, Cut(faulty.Select(p => p.ToString())))));
        }

        return found;
    }

    private void KeepUnsettled(Dictionary<string, (WorkflowFile? Read, FolderFile State)> found)
    {
        foreach (var (name, (_, state)) in found)
        {
            if (state.Error is null) continue;
            if (HasSettled(state.File)) continue;
            if (applied.TryGetValue(name, out var before)) found[name] = before;
            else found.Remove(name);
        }
    }

    // A second file of a stem, and one whose name is no id, has no state in which a change would show.
    private List<string> Unlisted(List<(string File, string Text)> said, Dictionary<string, (WorkflowFile? Read, FolderFile State)> found)
    {
        var listed = found.Values.Select(f => f.State.File).ToHashSet(StringComparer.Ordinal);
        return [.. said.Where(p => !listed.Contains(p.File) && (!HasBegun || HasSettled(p.File))).Select(p => p.Text)];
    }

    private bool HasSettled(string file) => clock.GetUtcNow() - File.GetLastWriteTimeUtc(Path.Combine(settings.WorkflowsDir, file)) >= Settling;

    private static bool IsSame(FolderFile? one, FolderFile other) =>
        one is not null && one.File == other.File && one.Error == other.Error && one.Definition?.Version == other.Definition?.Version;

    private static string Cut(IEnumerable<string> problems)
    {
        var text = string.Join("; ", problems);
        return StorableText.Fitting(text.Length <= MostErrorCharacters ? text : $"{text[..MostErrorCharacters]}…");
    }

    private static async Task ReportAsync(TextWriter faults, IEnumerable<string> lines)
    {
        foreach (var line in lines) await faults.WriteLineAsync(line);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Workflow files in {Folder}: registered {Changed}; removed {Removed}")]
    private static partial void LogChanged(ILogger logger, string folder, string changed, string removed);
}
