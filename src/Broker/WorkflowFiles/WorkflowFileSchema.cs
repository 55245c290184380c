using System.Reflection;

namespace Broker.WorkflowFiles;

/// <summary>JSON Schema of workflow files, for editors. It is public: an editor has no key.</summary>
internal static class WorkflowFileSchema
{
    public const string Path = "/workflow-file.schema.json";

    public static void MapWorkflowFileSchema(this IEndpointRouteBuilder routes)
    {
        var schema = Read();
        routes.MapGet(Path, () => Results.Bytes(schema, "application/schema+json")).AllowAnonymous().ExcludeFromDescription();
    }

    public static byte[] Read()
    {
        using var schema = Assembly.GetExecutingAssembly().GetManifestResourceStream("workflow-file.schema.json")!;
        using var copy = new MemoryStream();
        schema.CopyTo(copy);
        return copy.ToArray();
    }
}
