using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>Texts of the parameters of paths: by the segment before and the name, or by the name alone.</summary>
internal sealed class PathTexts : IOperationFilter
{
    private static readonly Dictionary<string, string> Texts = new(StringComparer.Ordinal)
    {
        ["handler_id"] = "Id of the handler.",
        ["id"] = "Id of a workflow or an instance, or `WORKFLOW~INSTANCE`.",
        ["instance"] = "Id of the instance.",
        ["instanceId"] = "Id of the instance.",
        ["job"] = "Id of the job within the workflow.",
        ["key"] = "Id of the API key.",
        ["lease"] = "Id of the lease.",
        ["name"] = "Name of the workflow.",
        ["step"] = "Name of the step.",
        ["worker"] = "Id of the worker.",
        ["bulk"] = "Id of the action on many runs.",
        ["session"] = "Id of the session.",
        ["webhook"] = "Id of the webhook.",
        ["delivery"] = "Id of the delivery.",
        ["schedule"] = "Name of the schedule; that of a definition's schedule is `WORKFLOW:NAME`.",
        ["workers/id"] = "Id of the worker.",
        ["fingerprint"] = "Hash of a definition's content.",
        ["workflow"] = "Name of the workflow; in the jobs dialect its id, or `WORKFLOW~INSTANCE`.",
        ["workflowName"] = "Name of the workflow.",
    };

    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        foreach (var parameter in operation.Parameters ?? [])
        {
            if (parameter is not OpenApiParameter { In: ParameterLocation.Path, Name: { } name } written) continue;
            if (Texts.TryGetValue($"{SegmentBefore(name, context.ApiDescription.RelativePath)}/{name}", out var text) || Texts.TryGetValue(name, out text)) written.Description = text;
        }
    }

    private static string SegmentBefore(string name, string? path)
    {
        var segments = (path ?? "").Split('/');
        var place = Array.IndexOf(segments, $"{{{name}}}");
        return place > 0 ? segments[place - 1] : "";
    }
}
