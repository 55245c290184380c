namespace Broker.Http;

/// <summary>A GET that is not to be tried out by HEAD: it streams, or it takes something.</summary>
internal sealed class NoHead
{
    public static NoHead Mark { get; } = new();
}
