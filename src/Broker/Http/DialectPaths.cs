namespace Broker.Http;

/// <summary>Rules below a dialect's paths for requests that reach none of its routes, such as preflights.</summary>
/// <param name="FirstSegments">Its paths begin with one of these.</param>
/// <param name="RefuseAsync">The form of a refusal: status and message.</param>
/// <param name="WithCredentials">Web pages may send credentials.</param>
internal sealed record DialectPaths(HashSet<string> FirstSegments, Func<HttpContext, int, string, Task> RefuseAsync, bool WithCredentials)
{
    /// <summary>Without such paths, where no dialect is served.</summary>
    public static DialectPaths None { get; } = new([], static (_, _, _) => Task.CompletedTask, WithCredentials: false);

    /// <summary>Of the host; <see cref="None"/> where it registers none.</summary>
    public static DialectPaths Of(IServiceProvider services) => services.GetService<DialectPaths>() ?? None;

    public bool Has(PathString path)
    {
        var rest = path.Value.AsSpan().TrimStart('/');
        var end = rest.IndexOf('/');
        return FirstSegments.GetAlternateLookup<ReadOnlySpan<char>>().Contains(end < 0 ? rest : rest[..end]);
    }
}
