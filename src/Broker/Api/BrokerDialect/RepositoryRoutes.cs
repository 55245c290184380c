using System.Globalization;
using System.Text.Json;
using Broker.Http;
using Broker.Storage.Contracts;

namespace Broker.Api.BrokerDialect;

/// <summary>Where workflow code lives.</summary>
internal static class RepositoryRoutes
{
    private const int DefaultPageSize = 50;
    private const int MaxPageSize = 1000;

    public static async Task RegisterAsync(HttpContext http)
    {
        if (await BrokerRequests.ReadAsync(http, Read) is not { } repository) return;
        await http.Engine().PutRepositoryAsync(repository, http.RequestAborted);
        await BrokerResponses.NoContent(http);
    }

    public static async Task GetAsync(HttpContext http)
    {
        var name = http.Request.Query["name"].ToString();
        if (name.Contains('\0'))
        {
            await BrokerResponses.Fail(http, StatusCodes.Status400BadRequest, "name holds a NUL character");
        }
        else if (name.Length > 0)
        {
            if (await http.Engine().FindRepositoryAsync(name, CredentialAccess.IsGranted, http.RequestAborted) is not { } repository) http.Response.StatusCode = StatusCodes.Status404NotFound;
            else await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, Shown(repository), BrokerJson.Default.RepositoryInfo);
        }
        else if (!TryPositive(http, "page", 1, int.MaxValue, out var page))
        {
            await BrokerResponses.Fail(http, StatusCodes.Status400BadRequest, "page: expected an integer of 1 or more");
        }
        else if (!TryPositive(http, "page_size", DefaultPageSize, MaxPageSize, out var size))
        {
            await BrokerResponses.Fail(http, StatusCodes.Status400BadRequest, $"page_size: expected an integer from 1 to {MaxPageSize}");
        }
        else
        {
            await ListAsync(http, page, size);
        }
    }

    private static async Task ListAsync(HttpContext http, int page, int size)
    {
        var skip = (page - 1L) * size;
        var found = skip > int.MaxValue ? [] : await http.Engine().RepositoriesAsync((int)skip, size, CredentialAccess.IsGranted, http.RequestAborted);
        if (found.Count == 0 && page > 1)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        RepositoryInfo[] shown = [.. found.Select(Shown)];
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, shown, BrokerJson.Default.RepositoryInfoArray);
    }

    /// <summary>An array, written page by page: what a repository holds is bounded, their number is not.</summary>
    public static async Task WorkflowsAsync(HttpContext http)
    {
        // The first page before the first byte: a database that cannot be reached is a 503.
        var page = await PageAsync(0);
        http.Response.ContentType = JsonAnswer.ContentType;
        using var json = new Utf8JsonWriter(http.Response.BodyWriter, JsonAnswer.Options);
        json.WriteStartArray();
        for (var skip = page.Count; page.Count > 0; skip += page.Count)
        {
            foreach (var repository in page)
            {
                foreach (var workflow in repository.Workflows) JsonSerializer.Serialize(json, new RepositoryWorkflow(repository.Name, workflow), BrokerJson.Default.RepositoryWorkflow);
            }

            json.Flush();
            await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
            page = page.Count < MaxPageSize ? [] : await PageAsync(skip);
        }

        json.WriteEndArray();
        json.Flush();
        await http.Response.BodyWriter.FlushAsync(http.RequestAborted);

        Task<IReadOnlyList<Repository>> PageAsync(int skip) => http.Engine().RepositoriesAsync(skip, MaxPageSize, withCredentials: false, http.RequestAborted);
    }

    private static bool TryPositive(HttpContext http, string name, int fallback, int most, out int value)
    {
        value = fallback;
        if (!http.Request.Query.TryGetValue(name, out var given)) return true;
        return int.TryParse(given.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= 1 && value <= most;
    }

    private static Repository? Read(JsonElement body, BrokerReader reader)
    {
        if (!reader.IsObject(body, "an object with name, url, workflows and, when the repository needs any, credentials")) return null;
        var name = reader.Name(body, "name");
        var url = reader.Text(body, "url");

        var workflows = new List<string>();
        if (!body.TryGetProperty("workflows", out var given) || given.ValueKind is not JsonValueKind.Array)
        {
            reader.Add("workflows", "expected an array of strings");
        }
        else
        {
            foreach (var workflow in given.EnumerateArray()) workflows.Add(reader.TextOf(workflow, $"workflows[{workflows.Count}]"));
        }

        var credentials = new Dictionary<string, string>(StringComparer.Ordinal);
        if (body.TryGetProperty("credentials", out given) && given.ValueKind is not JsonValueKind.Object)
        {
            reader.Add("credentials", "expected an object of strings");
        }
        else if (given.ValueKind is JsonValueKind.Object)
        {
            foreach (var member in given.EnumerateObject())
            {
                if (member.Name.Contains('\0')) reader.Add("credentials", "has a name that holds a NUL character");
                else credentials[member.Name] = reader.TextOf(member.Value, $"credentials.{member.Name}");
            }
        }

        return new(name, url, workflows, credentials);
    }

    private static RepositoryInfo Shown(Repository repository) => new(repository.Name, repository.Url, repository.Workflows, repository.Credentials);
}
