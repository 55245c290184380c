namespace Broker.Core.Definitions;

/// <summary>
/// Names that stand in paths. Every client resolves the segments <c>.</c> and <c>..</c> before it sends a request, encoded or not: what has such a
/// name could be created and never addressed.
/// </summary>
public static class PathNames
{
    public const string Message = "is '.' or '..', which clients remove from a path: nothing of that name could be addressed";

    public static bool Fits(string name) => name is not ("." or "..");
}
