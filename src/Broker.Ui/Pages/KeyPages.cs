using Broker.Operators;
using Broker.Ui.Routing;
using Microsoft.AspNetCore.Http;

namespace Broker.Ui.Pages;

/// <summary>API keys: a list, a form that makes one, and the page that shows it once.</summary>
internal static class KeyPages
{
    public static readonly IReadOnlyList<string> Scopes = new KeyScopeWordsAttribute().Words;

    public static Task<IResult> ShowAsync(HttpContext http, IOperatorApi api, CancellationToken ct) => ShowAsync(http, api, null, null, null, StatusCodes.Status200OK, ct);

    public static async Task<IResult> CreateAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var form = await PageForm.ReadAsync(http);
        var workflows = form["workflows"].ToString().Split([',', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var key = new NewKey { Name = form["name"].ToString(), Scopes = [.. form["scope"].OfType<string>()], Workflows = workflows.Length == 0 ? null : workflows };
        try
        {
            return await ShowAsync(http, api, await api.CreateKeyAsync(key, ct), null, null, StatusCodes.Status201Created, ct);
        }
        catch (OperatorException refused)
        {
            return await ShowAsync(http, api, null, key, refused.Message, refused.Status, ct);
        }
    }

    private static async Task<IResult> ShowAsync(HttpContext http, IOperatorApi api, CreatedKey? made, NewKey? given, string? fault, int status, CancellationToken ct)
    {
        var page = await PageResult.ContextAsync(http, api, ct);
        var keys = await api.ListKeysAsync(ct);
        return PageResult.Show<KeysPage>(
            new()
            {
                [nameof(KeysPage.Page)] = page,
                [nameof(KeysPage.Keys)] = keys.Items,
                [nameof(KeysPage.Made)] = made,
                [nameof(KeysPage.Given)] = given,
                [nameof(KeysPage.Fault)] = fault,
            },
            status);
    }
}
