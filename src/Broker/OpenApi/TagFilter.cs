using Broker.Api.Operators;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>The groups of the document, in the order in which they are shown.</summary>
internal sealed class TagFilter : IDocumentFilter
{
    private static readonly (string Name, string Text)[] Groups =
    [
        ("Broker dialect", "Workers register graphs of steps, take single steps and report them; clients dispatch runs and keep repositories of workflow code."),
        ("Jobs dialect", "Workflows of shell jobs with dependencies, labels, leases, outputs and logs; under /api."),
        (OperatorApi.Tag, "Runs of every dialect for operators, their tools and the console: search, explain and steer; under /api/v1."),
        ("Handlers dialect", "Named workflows that are started with an event and followed as a handler: results, event streams, events sent to a run."),
        ("Instances dialect", "Durable instances with history, events, pause, resume, restart and terminate; under the base path and at root."),
        ("Operations", "Probes, figures, explanations and the audit trail, for operators of the broker."),
    ];

    public void Apply(OpenApiDocument document, DocumentFilterContext context) =>
        document.Tags = new HashSet<OpenApiTag>(Groups.Select(group => new OpenApiTag { Name = group.Name, Description = group.Text }));
}
