using Broker.Api.Operators;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>The groups of the document, and paths in their order.</summary>
internal sealed class TagFilter : IDocumentFilter
{
    private static readonly (string Name, string Text)[] Groups =
    [
        ("Jobs dialect", "Workflows of shell jobs with dependencies, labels, leases, outputs and logs; under /api."),
        (OperatorApi.Tag, "Runs of every dialect for operators, their tools and the console: search, explain and steer; under /api/v1."),
        ("Broker dialect", "Workers register graphs of steps, take single steps and report them; clients dispatch runs and keep repositories of workflow code."),
        ("Handlers dialect", "Named workflows that are started with an event and followed as a handler: results, event streams, events sent to a run."),
        ("Instances dialect", "Durable instances with history, events, pause, resume, restart and terminate; under the base path and at root."),
        ("Operations", "Probes, figures, explanations and the audit trail, for operators of the broker."),
    ];

    // The page shows groups in the order of paths.
    public void Apply(OpenApiDocument document, DocumentFilterContext context)
    {
        var paths = document.Paths.OrderBy(path => PlaceOf(path.Value)).ToList();
        var used = paths.Select(path => PlaceOf(path.Value)).ToHashSet();
        document.Tags = Groups.Where((_, place) => used.Contains(place)).Select(group => new OpenApiTag { Name = group.Name, Description = group.Text }).ToHashSet();
        document.Paths = [];
        foreach (var (path, item) in paths) document.Paths.Add(path, item);
    }

    private static int PlaceOf(IOpenApiPathItem path) =>
        path.Operations!.Values.SelectMany(operation => operation.Tags!).Min(tag => Array.FindIndex(Groups, group => group.Name == tag.Name));
}
