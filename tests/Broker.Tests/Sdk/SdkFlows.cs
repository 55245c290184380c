using System.Text.Json.Serialization;
using Broker.Sdk;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Tests.Sdk;

internal sealed record Order(int Id, string Customer);

internal sealed record Receipt(string Number);

internal sealed record Approval(string By);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Order))]
[JsonSerializable(typeof(Receipt))]
[JsonSerializable(typeof(Approval))]
internal sealed partial class FlowJson : JsonSerializerContext;

/// <summary>A workflow of two steps, <c>charge</c> and <c>ship</c>, as an application names it.</summary>
internal static class SdkFlows
{
    public static readonly EventRef<Approval> Approval = new("approval", FlowJson.Default.Approval);

    public static WorkflowRef<Order, Receipt> Order(string name) => new(name, FlowJson.Default.Order, FlowJson.Default.Receipt);

    public static string Schema(string name) => $$"""
        {"workflow_id":"{{name}}","version":"1","outputs":["ship"],"steps":{"charge":{"successors":{"default":["ship"]} },"ship":{"predecessors":["charge"]} } }
        """;

    /// <summary>The client as dependency injection makes it.</summary>
    public static ServiceProvider Services(Uri server, Action<IHttpClientBuilder>? adjust = null)
    {
        var services = new ServiceCollection();
        var requests = services.AddBrokerClient(options => options.Server = server);
        adjust?.Invoke(requests);
        return services.BuildServiceProvider();
    }
}
