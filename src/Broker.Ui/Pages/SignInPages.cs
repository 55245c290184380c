using Broker.Ui.Routing;
using Microsoft.AspNetCore.Http;

namespace Broker.Ui.Pages;

/// <summary>Sign-in by key, and sign-out.</summary>
internal static class SignInPages
{
    public const string Path = "login";

    public static Task<IResult> ShowAsync(HttpContext http, ISignIn keys) =>
        Task.FromResult(keys.IsAsked ? Show(http, null, StatusCodes.Status200OK) : PageResult.SeeOther(http, new Links(http.Request.PathBase).Home));

    public static async Task<IResult> EnterAsync(HttpContext http, ISignIn keys)
    {
        if (SameOrigin.Refusal(http) is { } refusal) return Show(http, refusal, StatusCodes.Status403Forbidden);
        var form = await PageForm.ReadAsync(http);
        var outcome = await keys.EnterAsync(http, form["key"].ToString().Trim());
        return outcome.Fault is { } fault ? Show(http, fault, outcome.Status) : PageResult.SeeOther(http, new Links(http.Request.PathBase).Root + Target(http));
    }

    public static async Task<IResult> LeaveAsync(HttpContext http, ISignIn keys)
    {
        if (SameOrigin.Refusal(http) is { } refusal) return Show(http, refusal, StatusCodes.Status403Forbidden);
        await keys.LeaveAsync(http);
        return PageResult.SeeOther(http, new Links(http.Request.PathBase).To(Path));
    }

    /// <summary>Address of the sign-in that leads back to a page.</summary>
    public static string Address(HttpContext http) => new Links(http.Request.PathBase).To(Path, ("to", http.Request.Path + http.Request.QueryString));

    private static IResult Show(HttpContext http, string? fault, int status) => PageResult.Show<SignInPage>(
        new() { [nameof(SignInPage.Links)] = new Links(http.Request.PathBase), [nameof(SignInPage.To)] = Target(http), [nameof(SignInPage.Theme)] = PageContext.ThemeOf(http.Request), [nameof(SignInPage.Fault)] = fault }, status);

    // A page of the console, and no other address: a link must not lead elsewhere by way of the sign-in.
    private static string Target(HttpContext http)
    {
        var to = new PageQuery(http.Request).Text("to");
        return to is not null && to.StartsWith($"{Links.Prefix}/", StringComparison.Ordinal) && !to.Contains('\\') && !to.Any(char.IsControl) ? to : $"{Links.Prefix}/";
    }
}
