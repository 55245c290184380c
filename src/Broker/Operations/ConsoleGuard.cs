using Broker.Auth;
using Broker.Ui.Routing;

namespace Broker.Operations;

/// <summary>The console with the broker's own checks of keys.</summary>
internal static class ConsoleGuard
{
    public static void MapConsole(this IEndpointRouteBuilder routes) => routes.MapConsole((route, right) =>
    {
        if (right is ConsoleRight.Open) route.AllowAnonymous().ExcludeFromDescription();
        else if (right is ConsoleRight.Admin) route.RequireScope(Scope.Admin);
        else route.RequireScope(ScopeOf(right)).ByWorkflow();
    });

    private static Scope ScopeOf(ConsoleRight right) => right switch
    {
        ConsoleRight.Read => Scope.Read,
        ConsoleRight.Create => Scope.Create,
        ConsoleRight.Manage => Scope.Manage,
        ConsoleRight.Event => Scope.Event,
        ConsoleRight.Delete => Scope.Delete,
        _ => Scope.Any,
    };
}
