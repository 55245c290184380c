using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Broker.OpenApi;
using Broker.Settings;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.Swagger;

namespace Broker.Tests.App;

/// <summary>Compares each answer with its description on the way to the test. A violation fails the request, and so the test that sent it.</summary>
internal sealed class DescribedAnswersHandler(DescribedAnswers described, bool withoutLengthToo = false, HttpMessageHandler? inner = null)
    : DelegatingHandler(inner ?? new SocketsHttpHandler())
{
    // Of all brokers of the tests whose routes are the same.
    private static readonly ConcurrentDictionary<string, DescribedAnswers> Documents = new(StringComparer.Ordinal);

    private readonly ConcurrentDictionary<string, bool> seen = new(StringComparer.Ordinal);

    /// <summary>Answers to this client that were as described.</summary>
    public ICollection<string> Seen => seen.Keys;

    /// <summary>The document that the broker's answers are compared with. Read before the first request: a test may stop its broker at any time.</summary>
    public static async Task<DescribedAnswers> DocumentAsync(IServiceProvider services)
    {
        var paths = services.GetRequiredService<BrokerSettings>().InstancesBasePath;
        if (Documents.TryGetValue(paths, out var known)) return known;
        var swagger = services.GetRequiredService<ISwaggerProvider>();
        var documents = await Task.WhenAll(((string[])[ApiDocument.Name, ApiDocument.Aliases]).Select(name => swagger.GetSwagger(name).SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1)));
        return Documents.GetOrAdd(paths, new DescribedAnswers(documents));
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);

        if (request.Method == HttpMethod.Head) return response;

        // An answer without a length may be a stream, and reading it here would change what the test sees.
        var length = response.Content.Headers.ContentLength;

        // The server itself refuses a path such as /%00: no route and no middleware of the broker sees the request.
        if (response.StatusCode is HttpStatusCode.BadRequest && length == 0 && !response.Headers.Contains("X-Request-Id")) return response;
        var type = length == 0 ? null : response.Content.Headers.ContentType?.MediaType;
        var isRead = type is not null && (length is { } known ? known < 1_000_000 : withoutLengthToo && type == "application/json");
        if (isRead) await response.Content.LoadIntoBufferAsync(cancellationToken);
        Judge(isRead ? await response.Content.ReadAsByteArrayAsync(cancellationToken) : default);
        if (!isRead && length is null && type == "application/json") response.Content = new JudgedContent(response.Content, Judge);
        return response;

        void Judge(ReadOnlyMemory<byte> body)
        {
            var judged = described.Judge(
                request.Method.Method, request.RequestUri!.AbsolutePath, (int)response.StatusCode, type, response.Headers.Select(header => header.Key), body);
            if (judged is null) return;

            // Routing found another route or none, since a segment of the path is empty or has a slash in it.
            if (response.StatusCode is HttpStatusCode.NotFound && body.Span.IndexOf("No route has this path"u8) >= 0) return;
            if (response.StatusCode is HttpStatusCode.MethodNotAllowed && body.Span.IndexOf("This path takes "u8) >= 0) return;
            if (judged.Problem is { } problem)
                throw new InvalidOperationException($"{judged.Answer} is not what the API document describes: {problem}: {Encoding.UTF8.GetString(body.Span)}");
            seen.TryAdd(judged.Answer, true);
        }
    }
}
