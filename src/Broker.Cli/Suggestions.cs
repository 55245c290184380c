using System.CommandLine;
using System.CommandLine.Completions;
using Broker.Operators;
using Broker.Operators.Where;

namespace Broker.Cli;

/// <summary>Names of the broker's workflows and newest runs for completion. A broker that does not answer within 300 ms has none to offer.</summary>
internal static class Suggestions
{
    private const int Most = 50;

    /// <summary>Longest wait for the broker; tests on a busy machine set a longer one.</summary>
    internal static TimeSpan Timeout { get; set; } = TimeSpan.FromMilliseconds(300);

    public static void AddTo(Argument argument, Connection connection)
    {
        if (argument.Name == "WORKFLOW") argument.CompletionSources.Add(asked => Ask(asked, connection, WorkflowsAsync));
        if (argument.Name == "RUN") argument.CompletionSources.Add(asked => Ask(asked, connection, RunsAsync));
    }

    private static async Task<IEnumerable<string>> WorkflowsAsync(IOperatorApi api, CancellationToken ct) =>
        (await api.ListWorkflowsAsync(null, null, Limits.LargestPage, ct)).Items.Select(workflow => workflow.Name);

    private static async Task<IEnumerable<string>> RunsAsync(IOperatorApi api, CancellationToken ct) =>
        (await api.ListRunsAsync(new(WhereExpression.All) { Limit = Most }, ct)).Items.Select(RunName.Of);

    // The library does not await. A completion prints no fault.
    private static List<CompletionItem> Ask(CompletionContext asked, Connection connection, Func<IOperatorApi, CancellationToken, Task<IEnumerable<string>>> ask)
    {
        try
        {
            using var limit = new CancellationTokenSource(Timeout);
            return Task.Run(() => AskAsync(asked, connection, ask, limit.Token), limit.Token).GetAwaiter().GetResult();
        }
        catch (Exception fault) when (fault is OperatorException or CliException or HttpRequestException or OperationCanceledException)
        {
            return [];
        }
    }

    private static async Task<List<CompletionItem>> AskAsync(CompletionContext asked, Connection connection, Func<IOperatorApi, CancellationToken, Task<IEnumerable<string>>> ask, CancellationToken ct)
    {
        var (api, owner) = await connection.OpenAsync(asked.ParseResult, ct);
        using (owner) return [.. (await ask(api, ct)).Where(name => name.StartsWith(asked.WordToComplete, StringComparison.Ordinal)).Select(name => new CompletionItem(name))];
    }
}
