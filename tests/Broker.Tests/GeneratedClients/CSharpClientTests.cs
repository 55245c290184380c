using System.Reflection;
using System.Text.Json;
using Broker.Testing;
using Broker.Tests.App;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using NJsonSchema.CodeGeneration.CSharp;
using NSwag.CodeGeneration.CSharp;
using Xunit;

namespace Broker.Tests.GeneratedClients;

/// <summary>A client that NSwag made from the document, compiled with nullable references and called.</summary>
public sealed class CSharpClientTests(SqliteApp host) : IClassFixture<SqliteApp>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_operation_can_be_called_and_answers_as_described()
    {
        var document = await host.Client.GetStringAsync(new Uri("/openapi.json", UriKind.Relative), Ct);
        var program = await CompileAsync(await GenerateAsync(document));
        var handler = new DescribedAnswersHandler(await DescribedAnswersHandler.DocumentAsync(host.Services));
        using var client = new HttpClient(handler) { BaseAddress = host.Address };
        await (Task)program.GetType("Generated.Walk")!.GetMethod("RunAsync")!.Invoke(null, [client])!;

        var operations = from path in JsonElement.Parse(document).GetProperty("paths").EnumerateObject()
                         from operation in path.Value.EnumerateObject()
                         select $"{operation.Name.ToUpperInvariant()} {path.Name}";
        Assert.Empty(operations.Except(handler.Seen.Select(answer => answer[..answer.LastIndexOf(' ')])));
    }

    private static async Task<string> GenerateAsync(string document)
    {
        var settings = new CSharpClientGeneratorSettings { ClassName = "BrokerClient", UseBaseUrl = false, GenerateOptionalParameters = true };
        settings.CSharpGeneratorSettings.Namespace = "Generated";
        settings.CSharpGeneratorSettings.JsonLibrary = CSharpJsonLibrary.NewtonsoftJson;
        settings.CSharpGeneratorSettings.GenerateNullableReferenceTypes = true;
        return new CSharpClientGenerator(await NSwag.OpenApiDocument.FromJsonAsync(document, Ct), settings).GenerateFile();
    }

    private static async Task<Assembly> CompileAsync(string client)
    {
        var walk = await File.ReadAllTextAsync(Path.Combine(RepositoryLayout.Root, "tests", "Broker.Tests", "GeneratedClients", "csharp", "Walk.cs"), Ct);
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(file => Path.GetFileName(file).StartsWith("System.", StringComparison.Ordinal) || Path.GetFileName(file) is "mscorlib.dll" or "netstandard.dll" or "Newtonsoft.Json.dll");
        var compilation = CSharpCompilation.Create(
            "Generated",
            [CSharpSyntaxTree.ParseText(client, cancellationToken: Ct), CSharpSyntaxTree.ParseText(walk, cancellationToken: Ct)],
            references.Select(file => MetadataReference.CreateFromFile(file)),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        using var image = new MemoryStream();
        var emitted = compilation.Emit(image, cancellationToken: Ct);
        Assert.Empty(emitted.Diagnostics.Where(found => found.Severity is DiagnosticSeverity.Error));
        return Assembly.Load(image.ToArray());
    }
}
