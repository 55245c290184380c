using Broker.Operators;
using Broker.Ui.Routing;
using Microsoft.AspNetCore.Http;

namespace Broker.Ui.Pages;

/// <summary>An action on a run: a page that asks, and the form that acts.</summary>
/// <param name="Name">Name in the API and in addresses.</param>
/// <param name="Button">Words of the control.</param>
/// <param name="Right">Right that it takes.</param>
/// <param name="Scope">The scope of that right, in words.</param>
/// <param name="Consequence">The consequence, in a sentence.</param>
public sealed record RunActionKind(string Name, string Button, ConsoleRight Right, string Scope, string Consequence)
{
    /// <summary>The instance id is typed before it happens: nothing brings back what it ends.</summary>
    public bool IsTyped { get; init; }

    /// <summary>The reason why the caller cannot do it now; null where it can.</summary>
    public string? WhyNot(PageContext page, RunDetail run)
    {
        if (page.WhyNot(Scope) is { } scope) return scope;
        if (run.Run != run.LastRun) return "only the newest run of an instance is steered";
        var known = run.Actions.FirstOrDefault(action => action.Name == Name);
        return known is { Allowed: false } ? known.WhyNot ?? "not possible now" : null;
    }
}

/// <summary>Pages that ask before an action, and forms that act.</summary>
internal static class RunActionPages
{
    public static IReadOnlyList<RunActionKind> All { get; } =
    [
        new("retry", "Retry failed…", ConsoleRight.Manage, "manage", "A further run keeps the steps that finished, and runs the others again. Their effects may repeat."),
        new("cancel", "Cancel…", ConsoleRight.Manage, "manage", "The run ends. Workers that hold a step learn it with their next heartbeat."),
        new("pause", "Pause…", ConsoleRight.Manage, "manage", "No further step is handed out. Steps that run now go on."),
        new("resume", "Resume…", ConsoleRight.Manage, "manage", "The steps of the paused run are handed out again."),
        new("restart", "Restart…", ConsoleRight.Manage, "manage", "A further run begins from the first step with the same inputs. The newest run is ended if it has not.") { IsTyped = true },
        new("terminate", "Terminate…", ConsoleRight.Manage, "manage", "The run ends at once, without its clean-up steps.") { IsTyped = true },
        new("delete", "Delete…", ConsoleRight.Delete, "delete", "The instance goes with all its runs, events and logs. Nothing brings it back.") { IsTyped = true },
    ];

    public static async Task<IResult> AskAsync(RunActionKind action, HttpContext http, IOperatorApi api, CancellationToken ct) =>
        await AskAsync(action, http, api, null, ct);

    public static async Task<IResult> ActAsync(RunActionKind action, HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var query = new PageQuery(http.Request);
        var (workflow, instance) = (query.Segment("workflow"), query.Segment("instance"));
        var form = await PageForm.ReadAsync(http);
        if (action.IsTyped && form["typed"] != instance) return await AskAsync(action, http, api, $"Type {instance} to go on.", ct);

        var command = new RunCommand
        {
            Reason = form["reason"].ToString() is { Length: > 0 } reason ? reason : null,
            IfRun = int.TryParse(form["if_run"], out var number) ? number : null,
        };
        try
        {
            await ActAsync(action.Name, api, workflow, instance, command, ct);
        }
        catch (OperatorException refused)
        {
            return await AskAsync(action, http, api, refused.Message, ct, refused.Status);
        }

        var links = new Links(http.Request.PathBase);
        return PageResult.SeeOther(http, action.Name == "delete" ? links.Runs() : links.Run(workflow, instance));
    }

    private static Task ActAsync(string action, IOperatorApi api, string workflow, string instance, RunCommand command, CancellationToken ct) => action switch
    {
        "retry" => api.RetryAsync(workflow, instance, new() { Reason = command.Reason, IfRun = command.IfRun }, ct),
        "cancel" => api.CancelAsync(workflow, instance, command, ct),
        "pause" => api.PauseAsync(workflow, instance, command, ct),
        "resume" => api.ResumeAsync(workflow, instance, command, ct),
        "restart" => api.RestartAsync(workflow, instance, command, ct),
        "terminate" => api.TerminateAsync(workflow, instance, command, ct),
        _ => api.DeleteAsync(workflow, instance, command, ct),
    };

    private static async Task<IResult> AskAsync(RunActionKind action, HttpContext http, IOperatorApi api, string? fault, CancellationToken ct, int status = StatusCodes.Status200OK)
    {
        var query = new PageQuery(http.Request);
        var page = await PageResult.ContextAsync(http, api, ct);
        var run = await api.GetRunAsync(new(query.Segment("workflow"), query.Segment("instance")), ct);
        var whyNot = action.WhyNot(page, run);
        var plan = action.Name == "retry" && whyNot is null ? await api.RetryAsync(run.Workflow, run.Instance, new() { DryRun = true }, ct) : null;
        return PageResult.Show<RunActionPage>(
            new()
            {
                [nameof(RunActionPage.Page)] = page,
                [nameof(RunActionPage.Run)] = run,
                [nameof(RunActionPage.Action)] = action,
                [nameof(RunActionPage.WhyNot)] = whyNot,
                [nameof(RunActionPage.Plan)] = plan,
                [nameof(RunActionPage.Fault)] = fault,
            },
            status);
    }
}
