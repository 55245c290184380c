using System.Globalization;
using Broker.Auth;
using Broker.Engine;
using Broker.Http;
using Broker.OpenApi;
using Broker.Operators;

namespace Broker.Api.Operators;

/// <summary>Subscriptions to events of runs, and their deliveries.</summary>
internal static class WebhookRoutes
{
    public static void MapWebhooks(this RouteGroupBuilder api)
    {
        api.MapGet("/webhooks", ListAsync).WithName("ListWebhooks").WithSummary("Webhooks in order of creation; at most 100")
            .Lists<Webhook>().Refuses(400).Takes().RequireScope(Scope.Admin);
        api.MapPost("/webhooks", CreateAsync).WithName("CreateWebhook").WithSummary("Send events of runs to an address")
            .WithDescription("The answer alone has the secret, the key of the signatures. Other brokers on the database begin to write events for it within 2 s.")
            .TakesJson<NewWebhook>(isOptional: false).Answers<CreatedWebhook>(StatusCodes.Status201Created).Refuses(400, 409, 413, 422).Takes().RequireScope(Scope.Admin);
        api.MapGet("/webhooks/{webhook}", GetAsync).WithName("GetWebhook").WithSummary("One webhook")
            .Answers<Webhook>().Refuses(400, 404).Takes().RequireScope(Scope.Admin);
        api.MapPatch("/webhooks/{webhook}", ChangeAsync).WithName("ChangeWebhook").WithSummary("Change a webhook, or enable it again")
            .WithDescription("Members without a value stay as they are. The failures so far are forgotten.")
            .TakesJson<WebhookChange>(isOptional: false).Answers<Webhook>().Refuses(400, 404, 413, 422).Takes().RequireScope(Scope.Admin);
        api.MapDelete("/webhooks/{webhook}", DeleteAsync).WithName("DeleteWebhook").WithSummary("Delete a webhook with its deliveries")
            .Answers<Webhook>().Refuses(400, 404).Takes().RequireScope(Scope.Admin);
        api.MapGet("/webhooks/{webhook}/deliveries", DeliveriesAsync).WithName("ListDeliveries").WithSummary("Deliveries of a webhook, newest first; they are kept for 7 days")
            .Lists<WebhookDelivery>().Refuses(400, 404)
            .Takes(QueryParameter.Text("status", "Only of this status.", "pending", "delivered", "failed"), PageParameters.Limit, PageParameters.Cursor).RequireScope(Scope.Admin);
        api.MapPost("/webhooks/{webhook}/deliveries/{delivery}/replay", ReplayAsync).WithName("ReplayDelivery").WithSummary("Send a delivery again, under the same webhook-id")
            .Answers<WebhookDelivery>().Refuses(400, 404, 409).Takes().RequireScope(Scope.Admin);
        api.MapPost("/webhooks/{webhook}/test", TestAsync).WithName("TestWebhook").WithSummary("Send the event webhook.test")
            .Answers<WebhookDelivery>(StatusCodes.Status201Created).Refuses(400, 404, 409).Takes().RequireScope(Scope.Admin);
    }

    private static async Task ListAsync(HttpContext http, IOperatorApi api, CancellationToken ct) =>
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ListWebhooksAsync(ct), OperatorJson.Default.ListingWebhook);

    private static async Task CreateAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, CancellationToken ct)
    {
        var body = await OperatorBody.ReadAsync(http, engine, OperatorJson.Default.NewWebhook, isOptional: false, ct);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status201Created, await api.CreateWebhookAsync(body, ct), OperatorJson.Default.CreatedWebhook);
    }

    private static async Task GetAsync(HttpContext http, IOperatorApi api, string webhook, CancellationToken ct) => await SendAsync(http, await api.GetWebhookAsync(webhook, ct));

    private static async Task ChangeAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string webhook, CancellationToken ct)
    {
        var body = await OperatorBody.ReadAsync(http, engine, OperatorJson.Default.WebhookChange, isOptional: false, ct);
        await SendAsync(http, await api.ChangeWebhookAsync(webhook, body, ct));
    }

    private static async Task DeleteAsync(HttpContext http, IOperatorApi api, string webhook, CancellationToken ct) => await SendAsync(http, await api.DeleteWebhookAsync(webhook, ct));

    private static async Task DeliveriesAsync(HttpContext http, IOperatorApi api, string webhook, CancellationToken ct)
    {
        var query = new OperatorQuery(http.Request);
        var chosen = query.Page(new DeliveryQuery
        {
            Status = query.Text("status") is null ? null : query.Word("status", "", "pending", "delivered", "failed"),
        });
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ListDeliveriesAsync(webhook, chosen, ct), OperatorJson.Default.ListingWebhookDelivery);
    }

    private static async Task ReplayAsync(HttpContext http, IOperatorApi api, string webhook, string delivery, CancellationToken ct)
    {
        if (!long.TryParse(delivery, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) throw OperatorException.NotFound($"There is no delivery '{delivery}'.");
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ReplayDeliveryAsync(webhook, number, ct), OperatorJson.Default.WebhookDelivery);
    }

    private static async Task TestAsync(HttpContext http, IOperatorApi api, string webhook, CancellationToken ct) =>
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status201Created, await api.TestWebhookAsync(webhook, ct), OperatorJson.Default.WebhookDelivery);

    private static Task SendAsync(HttpContext http, Webhook shown) => JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, shown, OperatorJson.Default.Webhook);
}
