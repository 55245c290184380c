using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>Texts of the parameters of paths, and of headers that routes read themselves.</summary>
internal sealed class PathTexts : IOperationFilter
{
    private static readonly Dictionary<string, string> Texts = new(StringComparer.Ordinal)
    {
        ["handler_id"] = "Id of the handler.",
        ["id"] = "Id of a workflow or an instance, or `WORKFLOW~INSTANCE`; below `/workers` the id of a worker.",
        ["instance"] = "Id of the instance.",
        ["instanceId"] = "Id of the instance.",
        ["job"] = "Id of the job within the workflow.",
        ["key"] = "Id of the API key.",
        ["lease"] = "Id of the lease.",
        ["name"] = "Name of the workflow.",
        ["step"] = "Name of the step.",
        ["worker"] = "Id of the worker.",
        ["bulk"] = "Id of the action on many runs.",
        ["fingerprint"] = "Hash of a definition's content.",
        ["workflow"] = "Name of the workflow; in the jobs dialect its id, or `WORKFLOW~INSTANCE`.",
        ["workflowName"] = "Name of the workflow.",
    };

    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        foreach (var parameter in operation.Parameters ?? [])
        {
            if (parameter is OpenApiParameter { In: ParameterLocation.Path, Name: { } name } written && Texts.TryGetValue(name, out var text)) written.Description = text;
        }
    }
}
