namespace Broker.WorkflowFiles;

/// <summary>One job of a matrix.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Values">The values that <c>matrix.NAME</c> stands for.</param>
/// <param name="FailFast">The first failure of the matrix cancels it.</param>
internal sealed record MatrixJob(string Id, IReadOnlyDictionary<string, string> Values, bool FailFast);

/// <summary>The jobs that <c>strategy.matrix</c> makes of one: every combination of the values, without excluded ones, with included ones.</summary>
internal static class JobMatrix
{
    /// <summary>Jobs of one matrix, at most.</summary>
    public const int MaxJobs = 256;

    private const int MaxIdLength = 200;

    /// <summary>Null for a job without a matrix.</summary>
    public static IReadOnlyList<MatrixJob>? Read(string job, FieldReader fields)
    {
        if (fields.Fields("strategy")?.Only(KnownKeys.Strategy) is not { } strategy) return null;
        strategy.Require("matrix");
        if (strategy.Fields("matrix") is not { } matrix) return null;

        var axes = new OrderedDictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var axis in strategy.Mapping("matrix")!.Entries.Keys.Where(key => key is not ("include" or "exclude")))
        {
            axes[axis] = matrix.Texts(axis);
            if (axes[axis].Count == 0) matrix.Report(axis, "must be a list of at least one value");
        }

        if (axes.Values.Aggregate(1L, (count, values) => Math.Min(count * Math.Max(values.Count, 1), MaxJobs + 1)) > MaxJobs)
        {
            strategy.Report("matrix", $"makes more than {MaxJobs} jobs");
            return [];
        }

        var combinations = Combinations(axes);
        foreach (var excluded in Entries(matrix, "exclude")) combinations.RemoveAll(values => excluded.All(entry => values.GetValueOrDefault(entry.Key) == entry.Value));
        Include(combinations, Entries(matrix, "include"), axes);
        if (combinations.Count is 0 or > MaxJobs) strategy.Report("matrix", combinations.Count == 0 ? "makes no job" : $"makes more than {MaxJobs} jobs");
        return Named(job, combinations.Count > MaxJobs ? [] : combinations, axes, strategy);
    }

    private static List<OrderedDictionary<string, string>> Combinations(OrderedDictionary<string, IReadOnlyList<string>> axes)
    {
        if (axes.Count == 0) return [];
        List<OrderedDictionary<string, string>> all = [new(StringComparer.Ordinal)];
        foreach (var (axis, values) in axes)
            all = [.. all.SelectMany(before => values.Select(value => new OrderedDictionary<string, string>(before, StringComparer.Ordinal) { [axis] = value }))];
        return all;
    }

    // As GitHub does it: an entry adds its values to each combination of which it changes none. Without such a combination it is one of its own.
    private static void Include(
        List<OrderedDictionary<string, string>> combinations, IReadOnlyList<OrderedDictionary<string, string>> included, OrderedDictionary<string, IReadOnlyList<string>> axes)
    {
        var made = combinations.ToList();
        foreach (var entry in included)
        {
            var fitting = made.Where(values => entry.All(given => !axes.ContainsKey(given.Key) || values[given.Key] == given.Value)).ToList();
            foreach (var values in fitting)
            {
                foreach (var (name, value) in entry) values[name] = value;
            }

            if (fitting.Count == 0) combinations.Add(entry);
        }
    }

    private static List<OrderedDictionary<string, string>> Entries(FieldReader matrix, string field)
    {
        var entries = new List<OrderedDictionary<string, string>>();
        foreach (var (item, i) in matrix.Items(field).Select((item, i) => (item, i)))
        {
            var path = $"{matrix.PathOf(field)}[{i}]";
            if (item is not MappingNode mapping)
            {
                matrix.Problems.Add(item.Line, path, $"must be a mapping, not {item.Description}");
                continue;
            }

            var fields = new FieldReader(mapping, path, item.Line, matrix.Problems);
            var values = new OrderedDictionary<string, string>(StringComparer.Ordinal);
            foreach (var name in mapping.Entries.Keys)
            {
                if (fields.Text(name) is { } value) values[name] = value;
            }

            entries.Add(values);
        }

        return entries;
    }

    // The values of the axes make the id; an entry of its own has no axes, so all of its values do.
    private static List<MatrixJob> Named(
        string job, List<OrderedDictionary<string, string>> combinations, OrderedDictionary<string, IReadOnlyList<string>> axes, FieldReader strategy)
    {
        var jobs = new List<MatrixJob>();
        var failFast = strategy.Boolean("fail-fast") is true;
        foreach (var values in combinations)
        {
            var shown = axes.Count > 0 && axes.Keys.All(values.ContainsKey) ? axes.Keys.Select(axis => values[axis]) : values.Values;
            var id = $"{job} ({string.Join(", ", shown)})";
            if (id.Length > MaxIdLength) strategy.Report("matrix", $"makes a job id of more than {MaxIdLength} characters: {id[..MaxIdLength]}");
            else if (jobs.Exists(other => other.Id == id)) strategy.Report("matrix", $"makes '{id}' twice");
            else jobs.Add(new(id, values, failFast));
        }

        return jobs;
    }
}
