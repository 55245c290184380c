namespace Broker.OpenApi;

/// <summary>The message that the API document shows for a refusal of one route, where that of the status would mislead.</summary>
internal sealed record ErrorExample(int Status, string Message);

internal static class ErrorExamples
{
    public static TBuilder WithErrorExample<TBuilder>(this TBuilder route, int status, string message)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(new ErrorExample(status, message));

    /// <summary>The message of a refusal: the route's own, else that of its group, else that of the status.</summary>
    public static string MessageOf(IEnumerable<object> metadata, int status) =>
        metadata.OfType<ErrorExample>().LastOrDefault(example => example.Status == status)?.Message ?? status switch
        {
            400 => "limit: expected an integer from 0 to 1000",
            401 => "an API key is required: send the header 'Authorization: Bearer KEY'",
            403 => "this key lacks the scope that the request takes",
            404 => "there is no such thing",
            408 => "the body did not arrive in time",
            409 => "the stored state does not allow this",
            413 => "the body is larger than 10485760 bytes",
            415 => "Content-Encoding: 'gzip' is not taken; send the body uncompressed, without this header",
            422 => "the body has another shape than expected",
            429 => "too many wrong API keys from this address: try again in 30 s",
            503 => "The database does not answer.",
            _ => "The broker failed. Its log tells more under this request id.",
        };
}
