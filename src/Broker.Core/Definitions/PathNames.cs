namespace Broker.Core.Definitions;

/// <summary>
/// Check of names that stand in paths. Clients resolve the segments <c>.</c> and <c>..</c> before they send a request, encoded or not: a
/// workflow of such a name could be created and never addressed.
/// </summary>
public static class PathNames
{
    public const string Message = "is '.' or '..', which clients remove from a path: nothing of that name could be addressed";

    public static bool Fits(string name) => name is not ("." or "..");
}
