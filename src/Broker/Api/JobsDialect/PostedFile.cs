using System.Net.Http.Headers;
using Broker.Core.Definitions;
using Broker.Settings;
using Broker.WorkflowFiles;

namespace Broker.Api.JobsDialect;

/// <summary>A workflow file as the body of <c>POST /api/workflows</c>.</summary>
internal static class PostedFile
{
    /// <summary>The type that RFC 9512 registers.</summary>
    public const string ContentType = "application/yaml";

    private const string Name = "workflow.yaml";

    public static bool IsYaml(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && type.MediaType?.ToLowerInvariant() is ContentType or "application/x-yaml" or "text/yaml" or "text/x-yaml";

    /// <summary>The definition, or every problem with its line.</summary>
    public static DefinitionReading Read(string text, string id, LimitSettings limits)
    {
        var (file, problems) = WorkflowFileReader.Read(Name, text);
        if (file is null) return new(null, [.. problems.Select(Placed)]);
        var reading = JobsDocument.Read(file with { Id = id }, fromFile: false, mostSteps: limits.Steps);
        return reading.Definition is null ? reading with { Problems = [.. reading.Problems.Select(problem => Placed(file.At(problem)))] } : reading;
    }

    private static DefinitionProblem Placed(FileProblem problem) => new(problem.Path ?? "", $"{(problem.Line is null ? "" : $"line {problem.Line}: ")}{problem.Message}");
}
