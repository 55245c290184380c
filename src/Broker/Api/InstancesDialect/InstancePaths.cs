using Broker.Settings;

namespace Broker.Api.InstancesDialect;

/// <summary>The route patterns as the documentation writes them: what hooks see, whichever of the equivalent paths was used.</summary>
internal static class InstancePaths
{
    public const string Workflows = "/workflows";
    public const string Instances = "/workflows/:workflowName/instances";
    public const string Batch = Instances + "/batch";
    public const string Instance = Instances + "/:instanceId";
    public const string History = Instance + "/history";
    public const string Events = Instance + "/events";
    public const string Tick = "/_runner/tick";

    public static string Base(BrokerSettings settings) => "/" + settings.InstancesBasePath.Trim('/');
}
