namespace Broker.OpenApi;

/// <summary>Mark of a route that is a copy of another one under a second path: it is described in a document of its own.</summary>
internal sealed class Alias
{
    public static readonly Alias Mark = new();
}
