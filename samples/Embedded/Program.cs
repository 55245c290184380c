using Broker.Embedding;
using Embedded;

var builder = WebApplication.CreateBuilder(args);
builder.AddBroker().AddInstanceHooks<RolePolicy>();

var app = builder.Build();
app.MapGet("/", () => "The application answers here, and the broker below /flows.");
app.MapBroker("/flows");
await app.RunAsync();
