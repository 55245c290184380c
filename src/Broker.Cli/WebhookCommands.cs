using System.CommandLine;
using System.Globalization;
using Broker.Operators;

namespace Broker.Cli;

/// <summary>Commands on webhooks.</summary>
internal static class WebhookCommands
{
    public static Command Create(Connection connection) => new("webhooks", "Sends events of runs to other programs")
    {
        List(connection), New(connection), Show(connection), Change(connection),
        Switch(connection, "enable", "Sends events again, also those that waited meanwhile", isOn: true), Switch(connection, "disable", "Sends no further event", isOn: false),
        Delete(connection), Deliveries(connection), Replay(connection), Test(connection),
    };

    private static Argument<string> Id() => new("WEBHOOK") { Description = "Id of the webhook" };

    private static Command List(Connection connection)
    {
        var command = new Command("list", "Lists webhooks");
        command.SetAction(connection, async (call, ct) =>
        {
            call.Printer.Items(
                (await call.Api.ListWebhooksAsync(ct)).Items,
                OperatorJson.Default.Webhook,
                w => w.Id,
                new("WEBHOOK", w => w.Id),
                new("URL", w => w.Url),
                new("EVENTS", w => string.Join(',', w.Events)),
                new("WHERE", w => w.Where),
                new("STATE", StateOf));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command New(Connection connection)
    {
        var url = new Argument<string>("URL") { Description = "Address that events are posted to" };
        var events = new Option<string[]>("--event") { Description = "run.succeeded, run.failed, run.cancelled, run.waiting, step.poisoned or queue.starved; repeat it for more", HelpName = "EVENT", Required = true };
        var where = CliCommand.Where();
        var command = new Command("create", "Makes a webhook and prints its id and its secret, once") { url, events, where };
        command.SetAction(connection, async (call, ct) =>
        {
            var made = await call.Api.CreateWebhookAsync(new() { Url = call.Line.GetValue(url), Events = call.Line.GetValue(events), Where = call.Line.GetValue(where) }, ct);
            call.Printer.One(made, OperatorJson.Default.CreatedWebhook, w => w.Id, w =>
            {
                call.Printer.Line($"webhook  {w.Id}");
                call.Printer.Line($"secret   {w.Secret}");
            });
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Show(Connection connection) => One(connection, "show", "Shows one webhook", (call, id, ct) => call.Api.GetWebhookAsync(id, ct));

    private static Command Change(Connection connection)
    {
        var url = new Option<string?>("--url") { Description = "Another address", HelpName = "URL" };
        var events = new Option<string[]>("--event") { Description = "Instead of the events it has; repeat it for more", HelpName = "EVENT" };
        var where = new Option<string?>("--where") { Description = "Other conditions; empty for all runs", HelpName = "EXPR" };
        return One(
            connection, "change", "Changes a webhook, and forgets its failures",
            (call, id, ct) =>
            {
                var change = new WebhookChange { Url = call.Line.GetValue(url), Events = call.Line.GetValue(events) is { Length: > 0 } words ? words : null, Where = call.Line.GetValue(where) };
                return change is { Url: null, Events: null, Where: null } ? throw new CliException(ExitCodes.Usage, "write --url, --event or --where") : call.Api.ChangeWebhookAsync(id, change, ct);
            },
            url, events, where);
    }

    private static Command Switch(Connection connection, string name, string description, bool isOn) =>
        One(connection, name, description, (call, id, ct) => call.Api.ChangeWebhookAsync(id, new() { Enabled = isOn }, ct));

    private static Command Delete(Connection connection) => One(connection, "delete", "Deletes a webhook with its deliveries", (call, id, ct) => call.Api.DeleteWebhookAsync(id, ct));

    private static Command One(
        Connection connection, string name, string description, Func<CliCall, string, CancellationToken, Task<Webhook>> action, params ReadOnlySpan<Option> options)
    {
        var id = Id();
        var command = new Command(name, description) { id };
        foreach (var option in options) command.Options.Add(option);
        command.SetAction(connection, async (call, ct) =>
        {
            call.Printer.One(await action(call, call.Line.GetValue(id)!, ct), OperatorJson.Default.Webhook, w => w.Id, w =>
            {
                call.Printer.Line($"webhook  {w.Id}");
                call.Printer.Line($"url      {w.Url}");
                call.Printer.Line($"events   {string.Join(", ", w.Events)}");
                call.Printer.Line($"where    {w.Where ?? "-"}");
                call.Printer.Line($"state    {StateOf(w)}");
            });
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Deliveries(Connection connection)
    {
        var (id, limit) = (Id(), CliCommand.Limit());
        var status = new Option<string?>("--status") { Description = "pending, delivered or failed", HelpName = "STATUS" };
        var command = new Command("deliveries", "Lists what was sent, newest first") { id, status, limit };
        command.SetAction(connection, async (call, ct) =>
        {
            var query = new DeliveryQuery { Status = call.Line.GetValue(status), Limit = call.Line.GetValue(limit) };
            Print(call.Printer, (await call.Api.ListDeliveriesAsync(call.Line.GetValue(id)!, query, ct)).Items);
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Replay(Connection connection)
    {
        var id = Id();
        var delivery = new Argument<long>("DELIVERY") { Description = "Id of the delivery" };
        var command = new Command("replay", "Sends a delivery again") { id, delivery };
        command.SetAction(connection, async (call, ct) =>
        {
            Print(call.Printer, [await call.Api.ReplayDeliveryAsync(call.Line.GetValue(id)!, call.Line.GetValue(delivery), ct)]);
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Test(Connection connection)
    {
        var id = Id();
        var command = new Command("test", "Sends the event webhook.test") { id };
        command.SetAction(connection, async (call, ct) =>
        {
            Print(call.Printer, [await call.Api.TestWebhookAsync(call.Line.GetValue(id)!, ct)]);
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static void Print(Printer printer, IReadOnlyList<WebhookDelivery> deliveries) => printer.Items(
        deliveries,
        OperatorJson.Default.WebhookDelivery,
        d => d.Id.ToString(CultureInfo.InvariantCulture),
        new("DELIVERY", d => d.Id.ToString(CultureInfo.InvariantCulture)),
        new("EVENT", d => d.Type),
        new("STATUS", d => d.Status),
        new("ATTEMPTS", d => d.Attempts.ToString(CultureInfo.InvariantCulture)),
        new("QUEUED", d => Cells.Time(d.CreatedAt)),
        new("NEXT", d => Cells.Time(d.NextAt)),
        new("ANSWER", d => d.HttpStatus?.ToString(CultureInfo.InvariantCulture)),
        new("ERROR", d => Cells.Short(d.Error ?? "-")));

    private static string StateOf(Webhook webhook) => webhook.Enabled
        ? webhook.Failures == 0 ? "enabled" : string.Create(CultureInfo.InvariantCulture, $"enabled, {webhook.Failures} failures in a row")
        : $"disabled{(webhook.DisabledBecause is { } why ? $": {why}" : "")}";
}
