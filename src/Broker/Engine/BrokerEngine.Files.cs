using System.Runtime.CompilerServices;
using Broker.Auth;
using Broker.Core.Definitions;
using Broker.Storage.Contracts;

namespace Broker.Engine;

internal sealed partial class BrokerEngine
{
    /// <summary>Takes over what is new in a folder of workflow files.</summary>
    public async Task ApplyAsync(FolderChange change, CancellationToken ct)
    {
        var outcome = await files.ApplyAsync(change, ct);
        foreach (var added in outcome.Added) await audit.NoteAsync("register", added.Name, detail: $"version {added.Version}");
        foreach (var name in outcome.Withdrawn) await audit.NoteAsync("withdraw", name);
    }

    /// <summary>Workflow files of all brokers on this database in order of their names, with what is wrong with them; read page by page.</summary>
    public async IAsyncEnumerable<StoredFile> FilesAsync([EnumeratorCancellation] CancellationToken ct)
    {
        StoredFile? last = null;
        while (true)
        {
            var page = await files.PageAsync(last, DefinitionPage, ct);
            foreach (var file in Known(page, file => file.Name)) yield return file;
            if (page.Count < DefinitionPage) yield break;
            last = page[^1];
        }
    }

    /// <summary>Why the file of that workflow cannot be read; null when it can be, or when it has none.</summary>
    public Task<string?> FileErrorAsync(string workflow, CancellationToken ct) =>
        Caller.Current.Knows(workflow) ? files.ErrorOfAsync(workflow, ct) : Task.FromResult<string?>(null);

    /// <summary>Definition that a start by name runs; null when nothing of that name can be started.</summary>
    /// <exception cref="WorkflowBrokenException">The workflow's file cannot be read.</exception>
    public async Task<WorkflowDefinition?> StartableAsync(string workflow, CancellationToken ct)
    {
        if (await LatestAsync(workflow, ct) is { } latest) return latest;
        return await FileErrorAsync(workflow, ct) is { } error ? throw new WorkflowBrokenException(workflow, error) : null;
    }

    /// <summary>The definition registered last under that name, also one whose file is gone: for what happens to its runs.</summary>
    public Task<WorkflowDefinition?> DefinedAsync(string workflow, CancellationToken ct) =>
        Caller.Current.Knows(workflow) ? definitions.LatestAsync(workflow, ct, evenWithdrawn: true) : Task.FromResult<WorkflowDefinition?>(null);
}

/// <summary>A start of a workflow whose file cannot be read: a 409 in the form of the dialect.</summary>
internal sealed class WorkflowBrokenException(string workflow, string error) : Exception($"the workflow '{workflow}' cannot be started, since its file cannot be read: {error}");
